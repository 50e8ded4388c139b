-- Keeps our pending entries ours: sets their idle time back, without counting a delivery.
-- KEYS    stream          ARGV  group, consumer, ids
-- answers the ids that are no longer pending at this consumer
-- Law: owner-checked. A plain XCLAIM would steal an entry back from the worker that took it over.
local mine, lost = {}, {}
for i = 3, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if pending[1] and pending[1][2] == ARGV[2] then mine[#mine + 1] = ARGV[i] else lost[#lost + 1] = ARGV[i] end
end
if #mine > 0 then
  mine[#mine + 1] = 'JUSTID'
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, unpack(mine))
end
return lost
