-- Moves stored records that are due back into the retry stream, in one step so that none can be lost between.
-- KEYS    parked, parked data, retry, totals          ARGV  at most so many
-- answers how many were moved, and in how many ms the next is due (-1: none is stored)
-- Law: the cool-down is not touched; `r` stands for the record until its carrier claims it again.
local parked, parked_data, retry, totals = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGE', parked, '-inf', string.format('%.0f', now), 'BYSCORE', 'LIMIT', 0, ARGV[1])
for _, member in ipairs(due) do
  local record = redis.call('HGET', parked_data, member)
  if record then
    redis.call('XADD', retry, '*', unpack(cmsgpack.unpack(record)))
  else
    redis.call('HINCRBY', totals, 'lost_parked', 1)
  end
  redis.call('ZREM', parked, member)
  redis.call('HDEL', parked_data, member)
end
local first = redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')
return { #due, first[2] and math.max(0, math.ceil(first[2] - now)) or -1 }
