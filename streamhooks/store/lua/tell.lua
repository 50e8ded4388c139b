-- Adds one of streamhooks' own events to the stream, unless the same was told a little while ago by whomever.
-- KEYS    told, stream          ARGV  how long it is not told again (ms), then the entry: field, value, field, value ...
-- answers 1, or 0 where it was told already
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return 1
