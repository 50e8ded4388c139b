-- Removes consumers that have nothing pending: ourselves when we leave, and peers that have been silent for long.
-- KEYS    stream          ARGV  group, consumer, leaving ("1" or ""), silent for (ms)
-- answers how many were removed
-- Law: looked at and removed in one script: XGROUP DELCONSUMER drops whatever is pending at the consumer.
local removed = 0
for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  local own = consumer.name == ARGV[2]
  local gone = own and ARGV[3] == '1' or not own and consumer.idle > tonumber(ARGV[4])
  if consumer.pending == 0 and gone then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed
