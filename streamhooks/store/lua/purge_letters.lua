-- Throws dead letters away, many in one call.
-- KEYS    dead, totals; then for each: the cool-down          ARGV  for each: id of the letter, its owner
-- answers the ids of those that were there (the others were replayed or purged by somebody else)
-- Laws: the letter's own `x` goes too, and no other mark. `dead` stays in the account, for the event did end dead;
--       the letters that were thrown away are counted beside it.
local answers = {}
for i = 3, #KEYS do
  local id, owner = ARGV[2 * i - 5], ARGV[2 * i - 4]
  if redis.call('XDEL', KEYS[1], id) == 1 then
    local value = redis.call('GET', KEYS[i])
    local prefix = 'x|' .. owner .. '|'
    if owner ~= '' and value and string.sub(value, 1, #prefix) == prefix then redis.call('DEL', KEYS[i]) end
    answers[#answers + 1] = id
  end
end
if #answers > 0 then redis.call('HINCRBY', KEYS[2], 'dead_purged', #answers) end
return answers
