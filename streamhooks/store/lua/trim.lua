-- Notes the oldest entry that is not acknowledged, and trims what lies before it by the retention.
-- KEYS    stream, position, dead, totals
-- ARGV    group, retention (ms), retention (entries), dead letters' age (ms), at most so many in one call
-- answers how many entries were trimmed; as many as the limit: call again
-- Laws: nothing pending or undelivered of any group goes, whatever the retention says. Dead letters that are too old are
--       counted like those for which there was no room.
local stream = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Both halves of an id go up to 2^64 - 1, a number of Lua is exact up to 2^53: they are compared as they are written.
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function before(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return less(a_ms, b_ms) end
  return less(a_seq, b_seq)
end

local function oldest_needed(group)
  local pending = redis.call('XPENDING', stream, group.name)
  if pending[1] > 0 then return pending[2] end
  local handed = group['last-delivered-id']
  local ms, seq = string.match(handed, '(%d+)-(%d+)')
  if seq == '18446744073709551615' then return string.format('%.0f-0', ms + 1) end
  -- Beyond 2^53 the next number cannot be told: one entry too many is kept.
  if tonumber(seq) >= 9007199254740992 then return handed end
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
  local letters = redis.call('XTRIM', KEYS[3], 'MINID', string.format('%.0f', now - tonumber(ARGV[4])))
  if letters > 0 then redis.call('HINCRBY', KEYS[4], 'dead_trimmed', letters) end
end
if not floor then return 0 end

local limit = tonumber(ARGV[5])
local too_many = math.min(redis.call('XLEN', stream) - tonumber(ARGV[3]), limit)
local trimmed = 0
if too_many > 0 then
  local oldest = redis.call('XRANGE', stream, '-', '(' .. floor, 'COUNT', too_many + 1)
  local kept = #oldest > too_many and oldest[#oldest][1] or floor
  trimmed = redis.call('XTRIM', stream, 'MINID', kept)
end
local too_old = string.format('%.0f', now - tonumber(ARGV[2])) .. '-0'
local up_to = before(too_old, floor) and too_old or floor
return trimmed + redis.call('XTRIM', stream, 'MINID', '~', up_to, 'LIMIT', limit)
