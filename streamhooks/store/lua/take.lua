-- Takes over pending entries whose consumer has been silent: a dead worker's, or our own whose reply was lost.
-- KEYS    stream, totals, handed
-- ARGV    group, consumer, silent for (ms), at most so many, cursor ("own": only this consumer's own)
-- answers the next cursor, the entries as {id, number of this delivery, fields}, and how many were deleted while pending
-- Laws: the cursor is followed, for a scan that always starts at 0 starves behind live entries. The second delivery is
--       counted here; from the third on begin.lua counts it, when it starts, so that an entry which kills its worker
--       does not use up the deliveries of its neighbours.
local stream, group, me, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local ids, cursor, deleted = {}, '0-0', 0
if ARGV[5] == 'own' then
  for _, pending in ipairs(redis.call('XPENDING', stream, group, 'IDLE', idle, '-', '+', ARGV[4], me)) do
    ids[#ids + 1] = pending[1]
  end
else
  local claimed = redis.call('XAUTOCLAIM', stream, group, me, idle, ARGV[5], 'COUNT', ARGV[4], 'JUSTID')
  cursor, ids, deleted = claimed[1], claimed[2], #claimed[3]
end
local entries = {}
for _, id in ipairs(ids) do
  local found = redis.call('XRANGE', stream, id, id)
  if not found[1] then
    redis.call('XACK', stream, group, id)
    deleted = deleted + 1
  else
    local count = redis.call('XPENDING', stream, group, id, id, 1)[1][4] + 1
    if count <= 2 then
      redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', count, 'JUSTID')
    elseif ARGV[5] == 'own' then
      redis.call('XCLAIM', stream, group, me, 0, id, 'JUSTID')
    end
    entries[#entries + 1] = { id, count, found[1][2] }
  end
end
if deleted > 0 then
  redis.call('HINCRBY', KEYS[2], 'lost_trimmed', deleted)
  redis.call('HINCRBY', KEYS[3], stream .. ' ' .. group, deleted)
end
return { cursor, entries, deleted }
