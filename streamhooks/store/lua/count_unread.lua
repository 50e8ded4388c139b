-- Counts entries that somebody trimmed before the group was handed them.
-- KEYS    stream, totals, handed          ARGV  group, look at so many unread entries at most
-- answers how many were lost since it was last asked
-- Laws: whatever was ever added lies before the group's beginning, or waits to be handed out, or is pending, or is pending
--       no more (`handed`: acknowledged by settle.lua, or found deleted), or is lost. No server tells it: `entries-read`
--       leaps over what was trimmed in some and not in others. No more are lost than were taken out of the stream, so
--       that what somebody else acknowledged does not count. Where more wait than may be looked at and the first of
--       them may be gone, the answer comes later. What lies before the beginning is fixed at the first call.
local stream, group, limit = KEYS[1], ARGV[1], tonumber(ARGV[2])

local function fields(flat)
  local named = {}
  for i = 1, #flat, 2 do named[flat[i]] = flat[i + 1] end
  return named
end

local groups = redis.pcall('XINFO', 'GROUPS', stream)
if groups.err then return 0 end
local ours
for _, flat in ipairs(groups) do
  local found = fields(flat)
  if found.name == group then ours = found end
end
local added = fields(redis.call('XINFO', 'STREAM', stream))['entries-added']
if not ours or not added then return 0 end

local last = ours['last-delivered-id']
local waiting = #redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', limit)
if waiting == limit then
  if redis.call('XRANGE', stream, '-', last, 'COUNT', 1)[1] then return 0 end
  waiting = redis.call('XLEN', stream)
end
local field = stream .. ' ' .. group
local handed = tonumber(redis.call('HGET', KEYS[3], field) or 0) + redis.call('XPENDING', stream, group)[1]
local before, removed = added - waiting - handed, added - redis.call('XLEN', stream)
local known = redis.call('HMGET', KEYS[3], 'before ' .. field, 'removed ' .. field)
if tonumber(known[1]) == before and tonumber(known[2]) == removed then return 0 end
redis.call('HSET', KEYS[3], 'before ' .. field, string.format('%.0f', before),
  'removed ' .. field, string.format('%.0f', removed))
if not known[1] then return 0 end
local lost = math.max(0, math.min(before - known[1], removed - known[2]))
if lost > 0 then redis.call('HINCRBY', KEYS[2], 'lost_trimmed', string.format('%.0f', lost)) end
return lost
