-- Takes over pending entries whose consumer has been silent: a dead worker's, or our own whose reply was lost.
-- KEYS    stream, totals, handed
-- ARGV    group, consumer, silent for (ms), at most so many, cursor ("own": only this consumer's own), bytes
-- answers the next cursor, the entries as {id, number of this delivery, fields}, and how many were deleted while pending
-- Laws: the cursor is followed, for a scan that always starts at 0 starves behind live entries. The second delivery is
--       counted here; from the third on begin.lua counts it, when it starts, so that an entry which kills its worker
--       does not use up the deliveries of its neighbours. It ends with the entry that makes the bytes full: a hundred
--       entries of 10 MB would be the end of any worker that takes them, one after another.
local stream, group, me, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local most, bytes = tonumber(ARGV[6]), 0
local entries, deleted = {}, 0

local function take(id)
  local found = redis.call('XRANGE', stream, id, id)
  if not found[1] then
    redis.call('XACK', stream, group, id)
    deleted = deleted + 1
    return
  end
  local count = redis.call('XPENDING', stream, group, id, id, 1)[1][4] + 1
  if count <= 2 then
    redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', count, 'JUSTID')
  elseif ARGV[5] == 'own' then
    redis.call('XCLAIM', stream, group, me, 0, id, 'JUSTID')
  end
  entries[#entries + 1] = { id, count, found[1][2] }
  for _, part in ipairs(found[1][2]) do bytes = bytes + #part end
end

local cursor = '0-0'
if ARGV[5] == 'own' then
  for _, pending in ipairs(redis.call('XPENDING', stream, group, 'IDLE', idle, '-', '+', ARGV[4], me)) do
    if bytes >= most then break end
    take(pending[1])
  end
else
  cursor = ARGV[5]
  for _ = 1, ARGV[4] do
    local claimed = redis.call('XAUTOCLAIM', stream, group, me, idle, cursor, 'COUNT', 1, 'JUSTID')
    cursor = claimed[1]
    deleted = deleted + #claimed[3]
    if claimed[2][1] then take(claimed[2][1]) end
    if cursor == '0-0' or bytes >= most then break end
  end
end
if deleted > 0 then
  redis.call('HINCRBY', KEYS[2], 'lost_trimmed', deleted)
  redis.call('HINCRBY', KEYS[3], stream .. ' ' .. group, deleted)
end
return { cursor, entries, deleted }
