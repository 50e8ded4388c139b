-- Puts one dead letter back on its way: the letter goes and a carrier comes in the same step.
-- KEYS    dead, retry, totals, cool-down
-- ARGV    id of the letter, its owner, then the words of the new record: field, value, field, value ...
-- answers 1, or 0 when the letter is gone (somebody else replayed it)
-- Law: the letter's own `x` goes too, so that the cool-down it left behind cannot suppress its replay.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3))
redis.call('HINCRBY', KEYS[3], 'dead', -1)
redis.call('HINCRBY', KEYS[3], 'stored', 1)
local value = redis.call('GET', KEYS[4])
local prefix = 'x|' .. ARGV[2] .. '|'
if value and string.sub(value, 1, #prefix) == prefix then redis.call('DEL', KEYS[4]) end
return 1
