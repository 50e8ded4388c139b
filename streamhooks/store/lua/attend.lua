-- Looks after the handlers that are paused or being resumed.
-- KEYS    handlers, parked, parked data
-- ARGV    at most so many records looked at for a handler, ms until another probe, rate of a pause that ends by itself
-- answers for each paused handler: id, kind, why, ms until its pause is over (-1: when it is resumed), owner of its probe
-- A pause that an endpoint caused ends with one probe, the oldest record that is held; where none is held the next event
-- is the probe. A pause that an operator gave an end is resumed then. Of a resumed handler as many held records become
-- due as its rate allows, for all workers together; when a whole pass has found none the handler is as any other.
-- Laws: a held record's time is 10^13 ms and the moment it was held, so that held ones are found by their score alone.
--       The time that it was held is added to its `paused`, for it does not count for max_age.
local handlers, parked, parked_data = unpack(KEYS)
local looked_at, probe_after, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local HELD = 10000000000000
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number) return string.format('%.0f', number) end

local function let_out(member, score)
  local packed = redis.call('HGET', parked_data, member)
  if packed then
    local record, at = cmsgpack.unpack(packed), nil
    for i = 1, #record, 2 do
      if record[i] == 'paused' then at = i end
    end
    if not at then at = #record + 1 end
    record[at], record[at + 1] = 'paused', text(tonumber(record[at + 1] or 0) + now - (score - HELD))
    redis.call('HSET', parked_data, member, cmsgpack.pack(record))
  end
  redis.call('ZADD', parked, text(now), member)
end

-- Lets out at most `most` held records of a handler, from where its last look ended; whether the end was reached.
-- What is not its own stays: `skip` counts those at the score `at`, where the next look begins.
local function drain(id, state, most)
  local suffix = '|' .. id
  local moved, last = 0, ''
  if state.at < HELD then state.at, state.skip = HELD, 0 end
  local found = redis.call(
    'ZRANGE', parked, text(state.at), '+inf', 'BYSCORE', 'LIMIT', text(state.skip), text(looked_at), 'WITHSCORES')
  for i = 1, #found, 2 do
    if moved >= most then return moved, false, last end
    local member, score = found[i], tonumber(found[i + 1])
    if score ~= state.at then state.at, state.skip = score, 0 end
    if string.sub(member, -#suffix) == suffix then
      let_out(member, score)
      moved, last = moved + 1, member
    else
      state.skip = state.skip + 1
    end
  end
  return moved, #found < 2 * looked_at, last
end

local attend = {}

-- Answers whether the handler still has a state that is to be kept.
function attend.paused(id, state)
  if state['until'] == 0 or now < state['until'] then return true end
  if state.kind == 'operator' then
    state.state, state.since, state.rate, state.paid, state.passed = 'resuming', now, rate, now, 0
    return true
  end
  local moved, ended, member = drain(id, state, 1)
  if moved == 1 then
    state.probe, state['until'], state.at, state.skip = member, now + probe_after, 0, 0
  end
  return moved == 1 or not ended
end

function attend.resuming(id, state)
  local due = math.min(math.max(1, state.rate), (now - state.paid) * state.rate / 1000)
  if due < 1 then return true end
  due = math.floor(due)
  local moved, ended = drain(id, state, due)
  state.paid = moved < due and now or math.max(state.paid + moved * 1000 / state.rate, now - 1000)
  state.passed = state.passed + moved
  if not ended then return true end
  local whole = state.passed == 0
  state.at, state.skip, state.passed = 0, 0, 0
  return not whole
end

local answers = {}
local all = redis.call('HGETALL', handlers)
for i = 1, #all, 2 do
  local id, state = all[i], cjson.decode(all[i + 1])
  if attend[state.state] then
    if attend[state.state](id, state) then
      redis.call('HSET', handlers, id, cjson.encode(state))
    else
      redis.call('HDEL', handlers, id)
      state.state = ''
    end
    if state.state == 'paused' then
      local left = state['until'] > 0 and math.max(0, state['until'] - now) or -1
      answers[#answers + 1] = { id, state.kind, state.why, left, state.probe }
    end
  end
end
return answers
