-- Writes what a worker says of itself in the place of what it said last.
-- KEYS    the worker's hash          ARGV  seconds to live, then fields and values
-- answers nothing
-- Law: in one step. A worker that is killed between writing and setting the life would leave a key that nothing ends.
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
