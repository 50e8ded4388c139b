-- Fires past events again, many in one call: each becomes a carrier of one handler, and is accepted anew.
-- KEYS    retry, totals
-- ARGV    for each: how many words of its record follow, then these: field, value, field, value ...
-- answers how many carriers were added
-- Law: the account knows a carrier from the step that adds it: `stored` until settle.lua counts its end.
local added, at = 0, 1
while at < #ARGV do
  local words = tonumber(ARGV[at])
  redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, at + words))
  added = added + 1
  at = at + 1 + words
end
redis.call('HINCRBY', KEYS[2], 'accepted', added)
redis.call('HINCRBY', KEYS[2], 'stored', added)
return added
