-- Keeps our own claims alive while their requests wait or are under way; touches nobody else's and no other state.
-- KEYS    the cool-down of each          ARGV  lease (ms), then the owner of each
-- answers how many were still ours
local kept = 0
for i = 1, #KEYS do
  local value = redis.call('GET', KEYS[i])
  local prefix = 'c|' .. ARGV[1 + i] .. '|'
  if value and string.sub(value, 1, #prefix) == prefix then
    redis.call('PEXPIRE', KEYS[i], ARGV[1])
    kept = kept + 1
  end
end
return kept
