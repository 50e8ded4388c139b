-- Whether all that ever came to a partition has its end, or something is still to be done.
-- KEYS    stream, retry, parked          ARGV  group
-- answers 1: nothing is left; 0: something is
-- Laws: one look, for what moves from one place to another between two looks is seen at neither. The lag that the server
--       tells is not asked: it is wrong after deletions.
local group = ARGV[1]
if redis.call('ZCARD', KEYS[3]) > 0 then return 0 end
for at = 1, 2 do
  if redis.call('XPENDING', KEYS[at], group)[1] > 0 then return 0 end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[at])) do
    local found = {}
    for i = 1, #flat, 2 do found[flat[i]] = flat[i + 1] end
    if found.name == group and redis.call('XRANGE', KEYS[at], '(' .. found['last-delivered-id'], '+', 'COUNT', 1)[1] then
      return 0
    end
  end
end
return 1
