-- Reserves turns of a handler that may be called only so often, for all workers together.
-- KEYS    rate          ARGV  how many turns, microseconds between two
-- answers the microseconds until the first of them; the others follow, each one interval after the one before
-- Law: the key holds when the next free turn is. Turns that nobody took are not saved up: there is no burst.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local every = tonumber(ARGV[2])
local first = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local following = first + tonumber(ARGV[1]) * every
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', string.format('%.0f', (following - now) / 1000 + 1000))
return string.format('%.0f', first - now)
