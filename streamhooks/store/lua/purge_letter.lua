-- Throws one dead letter away.
-- KEYS    dead, totals, cool-down          ARGV  id of the letter, its owner
-- answers 1, or 0 when the letter is gone (somebody else replayed or purged it)
-- Laws: the letter's own `x` goes too, and no other mark. `dead` stays in the account, for the event did end dead;
--       the letters that were thrown away are counted beside it.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'dead_purged', 1)
local value = redis.call('GET', KEYS[3])
local prefix = 'x|' .. ARGV[2] .. '|'
if ARGV[2] ~= '' and value and string.sub(value, 1, #prefix) == prefix then redis.call('DEL', KEYS[3]) end
return 1
