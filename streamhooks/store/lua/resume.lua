-- Resumes a handler: it is sent to again, and lua/attend.lua lets out what was held at a bounded rate.
-- KEYS    handlers          ARGV  handler, rate (records a second), kind ("": whatever paused it; else only that kind)
-- answers 1, or 0 where nothing was paused that may be resumed
-- Law: an operator may resume what is not noted as paused, too: what is held of it comes out all the same.
local found = redis.call('HGET', KEYS[1], ARGV[1])
local old = found and cjson.decode(found) or {}
local paused = old.state == 'paused'
if ARGV[3] ~= '' and not (paused and old.kind == ARGV[3]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({
  v = 1, state = 'resuming', kind = old.kind or 'operator', why = old.why or '', since = now,
  ['until'] = 0, probe = '', at = 0, skip = 0, rate = tonumber(ARGV[2]), paid = now, passed = 0,
}))
return paused and 1 or 0
