-- Adds events to a stream, all of them or none: Redis refuses the call where it takes no writes, and nothing comes
-- between its entries.
--
-- KEYS: stream
-- ARGV: the events, each as its packed form
-- answers: the ids in the order of the events

local ids = {}
for number, data in ipairs(ARGV) do
  ids[number] = redis.call('XADD', KEYS[1], '*', 'd', data)
end
return ids
