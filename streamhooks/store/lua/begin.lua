-- Counts a delivery of an entry that is about to be run alone.
-- KEYS    stream, totals, handed          ARGV  group, consumer, id
-- answers the number of this delivery, or 0 when the entry is no longer ours, or was deleted: then it is counted as lost
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not pending or pending[2] ~= ARGV[2] then return 0 end
local kept = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'RETRYCOUNT', pending[4] + 1, 'JUSTID')
if not kept[1] then
  redis.call('HINCRBY', KEYS[2], 'lost_trimmed', 1)
  redis.call('HINCRBY', KEYS[3], KEYS[1] .. ' ' .. ARGV[1], 1)
  return 0
end
return pending[4] + 1
