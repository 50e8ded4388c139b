-- Gives up entries that were not sent, so that any peer takes them at its next sweep; their delivery is not counted.
-- KEYS    stream, totals, handed          ARGV  group, consumer, ids
-- answers how many were handed back; what was deleted while it was pending is counted as lost
-- Law: owner-checked, and the claims of their cool-downs stay: the owner is the entry's, whoever carries it on.
local back, lost = 0, 0
for i = 3, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if pending and pending[2] == ARGV[2] then
    local kept = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i],
      'IDLE', 1000000000, 'RETRYCOUNT', math.max(pending[4] - 1, 0), 'JUSTID')
    if kept[1] then back = back + 1 else lost = lost + 1 end
  end
end
if lost > 0 then
  redis.call('HINCRBY', KEYS[2], 'lost_trimmed', lost)
  redis.call('HINCRBY', KEYS[3], KEYS[1] .. ' ' .. ARGV[1], lost)
end
return back
