-- Puts dead letters back on their way, many in one call: a letter goes and a carrier comes in the same step.
-- KEYS    dead, retry, totals; then for each: the cool-down
-- ARGV    for each: id of the letter, its owner, how many words of the new record follow, then these: field, value ...
-- answers the ids of those that were there (the others were replayed or purged by somebody else)
-- Law: the letter's own mark goes too, so that the cool-down it left behind cannot suppress its replay. Usually `x`; `r`
--       or `c` where its last carrier died without a claim, for a letter's owner has no carrier any more. Only `d` stays.
local function own_mark(key, owner)
  local state, by = string.match(redis.call('GET', key) or '', '^(%a)|(.*)|%d+$')
  return by == owner and state ~= 'd'
end

local answers, at = {}, 1
for i = 4, #KEYS do
  local id, owner, words = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  if redis.call('XDEL', KEYS[1], id) == 1 then
    redis.call('XADD', KEYS[2], '*', unpack(ARGV, at + 3, at + 2 + words))
    if own_mark(KEYS[i], owner) then redis.call('DEL', KEYS[i]) end
    answers[#answers + 1] = id
  end
  at = at + 3 + words
end
if #answers > 0 then
  redis.call('HINCRBY', KEYS[3], 'dead', -#answers)
  redis.call('HINCRBY', KEYS[3], 'stored', #answers)
end
return answers
