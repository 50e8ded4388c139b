-- Throws dead letters away, many in one call.
-- KEYS    dead, totals; then for each: the cool-down          ARGV  for each: id of the letter, its owner
-- answers the ids of those that were there (the others were replayed or purged by somebody else)
-- Laws: the letter's own mark goes too (`x`; `r` or `c` as in replay_letters.lua), and no other. `dead` stays in the
--       account, for the event did end dead; the letters that were thrown away are counted beside it.
local function own_mark(key, owner)
  local state, by = string.match(redis.call('GET', key) or '', '^(%a)|(.*)|%d+$')
  return by == owner and state ~= 'd'
end

local answers = {}
for i = 3, #KEYS do
  local id, owner = ARGV[2 * i - 5], ARGV[2 * i - 4]
  if redis.call('XDEL', KEYS[1], id) == 1 then
    if own_mark(KEYS[i], owner) then redis.call('DEL', KEYS[i]) end
    answers[#answers + 1] = id
  end
end
if #answers > 0 then redis.call('HINCRBY', KEYS[2], 'dead_purged', #answers) end
return answers
