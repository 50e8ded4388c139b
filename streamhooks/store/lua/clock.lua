-- What time it is where a partition's keys are: on a cluster each node has a clock of its own.
-- KEYS    stream
-- answers milliseconds since 1970
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)
