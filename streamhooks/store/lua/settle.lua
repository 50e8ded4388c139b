-- Settles outcomes, many in one call: stores what must be stored, writes the receipt, acknowledges, keeps the account.
-- KEYS    stream, retry, parked, parked data, dead, totals, handlers, journal, handed; then for each: cool-down, where
--         marks are shared with Tyk, Tyk's mark, and but for a delivery that is its entry's only end and told of no
--         duplicates, receipts and held-back count
-- ARGV    group, consumer, lease (ms), most parked, most dead, most in the journal, whether marks are shared with Tyk (1
--         or 0), outcomes; then what goes with them, in their order. The outcomes are one word, MessagePack, because a
--         word each for what they say would cost the client more than the delivery's own request: a list, for each of
--         them a list of
--   kind      delivered | suppressed | retry | dead | unmatched | finished (all its handlers have receipts already)
--   source    stream | retry: where the carrier lies
--   id        of the carrier
--   handler
--   owner     of the claim; "" where the handler has no cool-down or none was to be claimed
--   handlers  all that the entry fires, one a line; "" where it is one alone, which needs no receipt
--   window    cool-down (ms)
--   amount    delivered: age of the reply (ms); retry: delay until due (ms), below 0: until its handler is resumed;
--             else 0
--   member    retry: the owner under which the record is stored; delivered: how many held-back duplicates it told of;
--             "" for none
--   first     time of the first attempt (ms); "" for now
--   noted     whether the journal is told: 1 or 0; its word is then the next of those that go with them
--   count     how many words of the record are next, after that: field, value, field, value ...
-- answers one word for each: "acked", "waits" (other handlers of the entry are not finished), "late" (no longer ours,
--         nothing was done), "overflow" (dead-lettered because too many are parked).
-- Laws: a record is stored before the cool-down says so; a mark goes only over our own claim, but `d` over anything;
--       no fence on the cool-down itself, for it may have been evicted. The journal is told only of what was done.
local stream, retry, parked, parked_data, dead, totals, handlers, journal, handed = unpack(KEYS, 1, 9)
local group, me, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most_parked, most_dead, most_noted = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counted, acknowledged = {}, 0

local function text(number) return string.format('%.0f', number) end

local function count(term, by) counted[term] = (counted[term] or 0) + by end

local function holder(o)
  local pending = redis.pcall('XPENDING', o.carrier, group, o.id, o.id, 1)
  return not pending.err and pending[1] and pending[1][2]
end

local function receipted(o)
  return o.handlers ~= '' and redis.call('SISMEMBER', o.done, o.handler) == 1
end

local function finish(o, term)
  count(term, 1)
  if o.carrier == retry then
    count('stored', -1)
    redis.call('XACK', retry, group, o.id)
    redis.call('XDEL', retry, o.id)
    return 'acked'
  end
  count('accepted', 1)
  if o.handlers ~= '' then
    redis.call('SADD', o.done, o.handler)
    local names = {}
    for name in string.gmatch(o.handlers, '[^\n]+') do names[#names + 1] = name end
    for _, member in ipairs(redis.call('SMISMEMBER', o.done, unpack(names))) do
      if member == 0 then
        redis.call('PEXPIRE', o.done, 86400000)
        return 'waits'
      end
    end
    redis.call('DEL', o.done)
  end
  acknowledged = acknowledged + redis.call('XACK', stream, group, o.id)
  return 'acked'
end

local function own(o, state)
  if o.owner == '' then return false end
  local value = redis.call('GET', o.cool)
  local prefix = state .. '|' .. o.owner .. '|'
  return value and string.sub(value, 1, #prefix) == prefix
end

local function mark(o, state, stamp, life)
  redis.call('SET', o.cool, state .. '|' .. o.owner .. '|' .. text(stamp), 'PX', text(life))
end

local function bury(o, record)
  local too_many = redis.call('XLEN', dead) + 1 - most_dead
  if too_many > 0 then count('dead_trimmed', too_many) end
  redis.call('XADD', dead, 'MAXLEN', most_dead, '*', unpack(record))
end

-- What was told is forgotten, and nothing else: more may have been held back meanwhile.
local function forget(o, told)
  if tonumber(redis.call('GET', o.held) or 0) <= told then
    redis.call('DEL', o.held)
  else
    redis.call('DECRBY', o.held, text(told))
  end
end

-- The count lives until the next delivery can take it along, and the mark with it: claims look for a count only where
-- there is a mark. Whether a `d` or `x` still suppresses is its stamp's to say, so a longer life changes nothing.
local function hold_back(o)
  local life = text(math.max(2 * o.window, 1000, redis.call('PTTL', o.cool)))
  redis.call('INCR', o.held)
  redis.call('PEXPIRE', o.held, life)
  local state = string.sub(redis.call('GET', o.cool) or '', 1, 1)
  if state == 'd' or state == 'x' then redis.call('PEXPIRE', o.cool, life, 'GT') end
end

local settle = {}

function settle.delivered(o)
  if holder(o) ~= me or receipted(o) then return 'late' end
  if o.owner ~= '' then mark(o, 'd', now - o.amount, math.max(o.window, 2 * lease)) end
  if o.member ~= '' then forget(o, o.member) end
  local left = o.window - o.amount
  if o.tyk and o.owner ~= '' and left > 0 then redis.call('SET', o.tyk, '1', 'PX', text(left)) end
  return finish(o, 'delivered')
end

function settle.suppressed(o)
  if not holder(o) or receipted(o) then return 'late' end
  hold_back(o)
  return finish(o, 'suppressed')
end

function settle.unmatched(o)
  if not holder(o) then return 'late' end
  return finish(o, 'unmatched')
end

function settle.finished(o)
  redis.call('DEL', o.done)
  acknowledged = acknowledged + redis.call('XACK', stream, group, o.id)
  return 'acked'
end

function settle.dead(o)
  if holder(o) ~= me or receipted(o) then return 'late' end
  if own(o, 'd') then return finish(o, 'delivered') end
  bury(o, o.record)
  local answer = finish(o, 'dead')
  if own(o, 'c') then mark(o, 'x', now, math.max(o.window, 2 * lease)) end
  return answer
end

-- When a record is due, and how long its `r` lives. A worker may not know yet that a handler goes on: its state is asked
-- here, in the step that stores, for what is held after the last look of lua/attend.lua would stay for ever.
local function due_of(o)
  if o.amount >= 0 then return now + o.amount, o.amount + lease end
  local state = redis.call('HGET', handlers, o.handler)
  if state and cjson.decode(state).state == 'paused' then return 10000000000000 + now, 30 * 86400000 end
  return now + 1000, 1000 + lease
end

function settle.retry(o)
  if holder(o) ~= me or receipted(o) then return 'late' end
  if own(o, 'd') then return finish(o, 'delivered') end
  if redis.call('ZCARD', parked) >= most_parked and not redis.call('ZSCORE', parked, o.member) then
    -- A stored record bears the number of the attempt that comes next, a letter that of the attempts made.
    for i = 1, #o.record, 2 do
      if o.record[i] == 'attempt' then o.record[i + 1] = text(o.record[i + 1] - 1) end
    end
    o.record[#o.record + 1] = 'reason'
    o.record[#o.record + 1] = 'overflow'
    settle.dead(o)
    return 'overflow'
  end
  local due, life = due_of(o)
  redis.call('ZADD', parked, text(due), o.member)
  redis.call('HSET', parked_data, o.member, cmsgpack.pack(o.record))
  local answer = finish(o, 'stored')
  if own(o, 'c') then
    mark(o, 'r', due, life)
    redis.call('PEXPIRE', o.held, text(life), 'GT')
  end
  return answer
end

local function note(told, answer)
  if not told or answer == 'late' then return end
  local words = { 'v', '1', 'n', told }
  if answer == 'overflow' then words[5], words[6] = 'ended', answer end
  redis.call('XADD', journal, 'MAXLEN', '~', most_noted, '*', unpack(words))
end

local answers, shared, at, i = {}, ARGV[7] == '1', 8, 10
for n, told in ipairs(cmsgpack.unpack(ARGV[8])) do
  local kind, source, id, handler, owner, handlers, window, amount, member, first, noted, count = unpack(told)
  local o = {
    cool = KEYS[i], tyk = shared and KEYS[i + 1],
    carrier = source == 'retry' and retry or stream,
    id = id, handler = handler, owner = owner, handlers = handlers, window = window, amount = amount, member = member,
  }
  i = i + (shared and 2 or 1)
  if kind ~= 'delivered' or handlers ~= '' or member ~= '' then
    o.done, o.held, i = KEYS[i], KEYS[i + 1], i + 2
  end
  local word = noted == 1 and ARGV[at + 1]
  at = at + noted
  if count > 0 then
    o.record = { 'first', text(first == '' and now or first), 'last', text(now) }
    for j = at + 1, at + count do o.record[#o.record + 1] = ARGV[j] end
    at = at + count
  end
  local answer = settle[kind](o)
  note(word, answer)
  answers[n] = answer
end
for term, by in pairs(counted) do
  if by ~= 0 then redis.call('HINCRBY', totals, term, by) end
end
if acknowledged > 0 then redis.call('HINCRBY', handed, stream .. ' ' .. group, acknowledged) end
return answers
