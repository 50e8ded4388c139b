-- Reads stored records, without a change.
-- KEYS    parked, parked data          ARGV  owners
-- answers for each owner that has a record: the owner, when it is due (ms), and the record: field, value, field ...
local parked, parked_data = unpack(KEYS)
local answers = {}
for _, owner in ipairs(ARGV) do
  local due, record = redis.call('ZSCORE', parked, owner), redis.call('HGET', parked_data, owner)
  if due and record then answers[#answers + 1] = { owner, due, cmsgpack.unpack(record) } end
end
return answers
