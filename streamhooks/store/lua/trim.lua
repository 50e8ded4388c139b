-- Notes the oldest entry that is not acknowledged, and trims what lies before it by the retention.
-- KEYS    stream, position, dead
-- ARGV    group, retention (ms), retention (entries), dead letters' age (ms), at most so many in one call
-- answers how many entries were trimmed; as many as the limit: call again
-- Law: nothing pending or undelivered of any group goes, whatever the retention says.
local stream = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function before(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if tonumber(a_ms) ~= tonumber(b_ms) then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

local function oldest_needed(group)
  local pending = redis.call('XPENDING', stream, group.name)
  if pending[1] > 0 then return pending[2] end
  local ms, seq = string.match(group['last-delivered-id'], '(%d+)-(%d+)')
  return ms .. '-' .. string.format('%.0f', seq + 1)
end

local floor
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  local needed = oldest_needed(group)
  if group.name == ARGV[1] then redis.call('SET', KEYS[2], needed) end
  if not floor or before(needed, floor) then floor = needed end
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('XTRIM', KEYS[3], 'MINID', string.format('%.0f', now - tonumber(ARGV[4])))
end
if not floor then return 0 end

local limit = tonumber(ARGV[5])
local too_many = math.min(redis.call('XLEN', stream) - tonumber(ARGV[3]), limit)
local trimmed = 0
if too_many > 0 then
  local oldest = redis.call('XRANGE', stream, '-', '(' .. floor, 'COUNT', too_many)
  if #oldest > 0 then
    local ms, seq = string.match(oldest[#oldest][1], '(%d+)-(%d+)')
    trimmed = redis.call('XTRIM', stream, 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
  end
end
local too_old = string.format('%.0f', now - tonumber(ARGV[2])) .. '-0'
local up_to = before(too_old, floor) and too_old or floor
return trimmed + redis.call('XTRIM', stream, 'MINID', '~', up_to, 'LIMIT', limit)
