-- Claims cool-downs, many in one call; answers one word for each, in order.
-- KEYS    the cool-down of each
-- ARGV    lease (ms), then for each: owner, cool-down (ms), mode ("" or "replay")
-- answers "send", "done" (this very owner delivered it before), "park" (another is sending it now),
--         or "by " and the owner whose request stands for this one.
-- Law: a duplicate is never given up on the strength of a mere claim, see "park": the holder may crash.
local lease = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function verdict(value, owner, window, mode)
  if not value then return 'send' end
  local state, by, stamp = string.match(value, '^(%a)|(.*)|(%d+)$')
  if not state then return 'send' end
  if by == owner then
    return state == 'd' and 'done' or 'send'
  end
  if state == 'c' then return 'park' end
  if state == 'r' then return 'by ' .. by end
  if state == 'x' and mode == 'replay' then return 'send' end
  if now - tonumber(stamp) < window then return 'by ' .. by end
  return 'send'
end

local answers = {}
for i = 1, #KEYS do
  local owner, window, mode = ARGV[3 * i - 1], tonumber(ARGV[3 * i]), ARGV[3 * i + 1]
  local answer = verdict(redis.call('GET', KEYS[i]), owner, window, mode)
  if answer == 'send' then
    redis.call('SET', KEYS[i], 'c|' .. owner .. '|' .. string.format('%.0f', now), 'PX', lease)
  end
  answers[i] = answer
end
return answers
