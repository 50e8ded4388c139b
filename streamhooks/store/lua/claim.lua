-- Claims cool-downs, many in one call; answers one word for each, in order.
-- KEYS    for each: the cool-down, the held-back count, and where marks are shared with Tyk, Tyk's mark
-- ARGV    lease (ms); and as one word, MessagePack, a list that has for each: owner, cool-down (ms), whether it is a
--         replay's
-- answers "send", "send " and how many duplicates were held back, "done" (this very owner delivered it before),
--         "park" (another is sending it now), or "by " and the owner whose request stands for this one.
-- Law: a duplicate is never given up on the strength of a mere claim, see "park": the holder may crash.
local lease = tonumber(ARGV[1])
local claims = cmsgpack.unpack(ARGV[2])
local each = #KEYS / #claims
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function verdict(value, owner, window, replay)
  if not value then return 'send' end
  local state, by, stamp = string.match(value, '^(%a)|(.*)|(%d+)$')
  if not state then return 'send' end
  if by == owner then
    return state == 'd' and 'done' or 'send'
  end
  if state == 'c' then return 'park' end
  if state == 'r' then return 'by ' .. by end
  if state == 'x' and replay then return 'send' end
  if now - tonumber(stamp) < window then return 'by ' .. by end
  return 'send'
end

-- A mark that is there for ever says that Tyk has no cool-down here, and our own claim or retry was let through before.
local function tyk_covers(value, owner, key)
  local state, by = string.match(value or '', '^(%a)|(.*)|%d+$')
  if by == owner and (state == 'c' or state == 'r') then return false end
  return redis.call('PTTL', key) > 0
end

local answers = {}
for i, claim in ipairs(claims) do
  local owner, window, replay = unpack(claim)
  local at = each * (i - 1) + 1
  local value = redis.call('GET', KEYS[at])
  local answer = verdict(value, owner, window, replay)
  if answer == 'send' and each == 3 and tyk_covers(value, owner, KEYS[at + 2]) then answer = 'by tyk' end
  if answer == 'send' then
    redis.call('SET', KEYS[at], 'c|' .. owner .. '|' .. string.format('%.0f', now), 'PX', lease)
    -- Where nothing stood nothing was held back: whoever counts keeps the cool-down for as long as the count.
    local held = (value or each == 3) and each > 1 and redis.call('GET', KEYS[at + 1])
    if held then answer = 'send ' .. held end
  end
  answers[i] = answer
end
return answers
