-- Keeps our pending entries ours: sets their idle time back, without counting a delivery.
-- KEYS    stream, totals, handed          ARGV  group, consumer, ids
-- answers the ids that are no longer pending at this consumer
-- Laws: owner-checked, for a plain XCLAIM would steal an entry back from the worker that took it over. What somebody
--       deleted while it was pending drops out of the pending list here and nowhere else: it is counted as lost.
local mine, lost = {}, {}
for i = 3, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if pending[1] and pending[1][2] == ARGV[2] then mine[#mine + 1] = ARGV[i] else lost[#lost + 1] = ARGV[i] end
end
if #mine > 0 then
  local words, kept = { unpack(mine) }, {}
  words[#words + 1] = 'JUSTID'
  for _, id in ipairs(redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, unpack(words))) do kept[id] = true end
  local deleted = 0
  for _, id in ipairs(mine) do
    if not kept[id] then
      lost[#lost + 1] = id
      deleted = deleted + 1
    end
  end
  if deleted > 0 then
    redis.call('HINCRBY', KEYS[2], 'lost_trimmed', deleted)
    redis.call('HINCRBY', KEYS[3], KEYS[1] .. ' ' .. ARGV[1], deleted)
  end
end
return lost
