-- Pauses a handler: from their next look on the workers store its events instead of sending them.
-- KEYS    handlers          ARGV  handler, for how long (ms; 0: until it is resumed), kind (operator | gone), why
-- answers 1; 2 where it was paused already; 0 where an operator's pause stands and was left as it is
-- Law: what an endpoint says never shortens what an operator has said.
local found = redis.call('HGET', KEYS[1], ARGV[1])
local old = found and cjson.decode(found)
local paused = old and old.state == 'paused'
if paused and old.kind == 'operator' and ARGV[3] ~= 'operator' then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local length = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({
  v = 1, state = 'paused', kind = ARGV[3], why = ARGV[4], since = paused and old.since or now,
  ['until'] = length > 0 and now + length or 0, probe = '', at = 0, skip = 0,
}))
return paused and 2 or 1
