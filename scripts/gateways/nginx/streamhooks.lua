-- Publishes what NGINX or OpenResty notices to the Redis stream that streamhooks reads. See docs/gateways/nginx.md.
--
--   init_worker_by_lua_block { require("streamhooks").setup { host = "127.0.0.1" } }
--   log_by_lua_block         { require("streamhooks").log() }
--
-- Strategy: the log phase, which runs when the answer is on its way, only puts a line of text into a bounded queue of the
-- NGINX worker. One timer per worker empties the queue over one connection, many events in one round trip.
--
-- Laws: no request waits for Redis, whether it is slow, full or away. An event is dropped only where a type passes its
-- rate cap or the queue is full, and what was dropped is counted and said in error.log once a minute. What was sent and
-- not acknowledged is sent again, so an event may come twice: the cool-down of its handler absorbs that.

local shared_redis, redis = pcall(require, "resty.redis") -- OpenResty
if not shared_redis then
  redis = require "nginx.redis" -- Debian: lua-nginx-redis
end

local ngx, concat, floor, format = ngx, table.concat, math.floor, string.format

local M = {}

local config = {
  host = "127.0.0.1",
  port = 6379,
  socket = nil, -- a path, in the place of host and port
  username = nil,
  password = nil,
  database = 0,
  tls = false,
  tls_verify = true, -- needs lua_ssl_trusted_certificate
  tls_name = nil, -- the name in the server's certificate; default: host
  stream = "gateway:events",
  partitions = 1, -- as stream.partitions of streamhooks
  source = "nginx",
  key_variable = nil, -- a variable whose value becomes Key, such as "remote_user"; none: there is no Key
  cap = 50, -- events of one type in one second, over all NGINX workers
  dict = "streamhooks", -- lua_shared_dict that counts for the cap
  queue = 2000, -- events that wait in one NGINX worker
  batch = 100, -- events in one round trip
  wait = 0.05, -- seconds that the first event of a batch waits for others
  timeout = 1000, -- milliseconds for each step at Redis
  again = 10, -- seconds between two tries at most, while Redis is away
  report = 60, -- seconds between two lines in error.log
}

local LONGEST = 4096 -- bytes of a value: a request line may hold 32 KiB

-- The queue: events[first] to events[last].
local events, first, last = {}, 1, 0
local sending = false
local pause = 0
local dropped, trouble, reporting = {}, nil, false

-- JSON.

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function escaped(char)
  return ESCAPES[char] or (char:byte() < 128 and format("\\u%04x", char:byte()) or format("%%%02X", char:byte()))
end

-- Bytes beyond ASCII are percent-encoded as in a URI: what a client sends need not be UTF-8, and JSON must be.
local function text(value)
  value = tostring(value or "")
  if #value > LONGEST then
    value = value:sub(1, LONGEST) .. "..."
  end
  return '"' .. value:gsub('[%z\1-\31"\\\127-\255]', escaped) .. '"'
end

local function number(value)
  return format("%.3f", tonumber(value) or 0)
end

-- What happened.

local function path()
  return (ngx.var.request_uri or ngx.var.uri or ""):match "^[^?]*" -- without the query, which may hold credentials
end

local function keyed(message)
  local meta = { '"Message":', text(message), ',"Path":', text(path()), ',"Origin":', text(ngx.var.remote_addr) }
  if config.key_variable then
    meta[#meta + 1] = ',"Key":' .. text(ngx.var[config.key_variable])
  end
  return concat(meta)
end

-- The last of "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80".
local function last_of(list)
  return (list or ""):match "([^%s,]+)%s*$" or ""
end

local function host_down(status, address)
  local upstream = last_of(ngx.var.upstream_status)
  local seconds = tonumber(last_of(ngx.var.upstream_response_time)) or 0
  return concat {
    '"Message":', text("Upstream answered " .. upstream),
    ',"Path":', text(path()),
    ',"HostInfo":{"CheckURL":', text(ngx.var.scheme .. "://" .. address .. path()),
    ',"Method":', text(ngx.var.request_method),
    ',"ResponseCode":', tostring(tonumber(upstream) or status),
    ',"Latency":', number(seconds * 1000),
    ',"IsTCPError":', tostring(last_of(ngx.var.upstream_connect_time) == "-"),
    ',"MetaData":{"host_name":', text(address), ',"api_id":', text(ngx.var.streamhooks_api_id), "}}",
  }
end

local function breaker_tripped(group)
  return concat {
    '"Message":"Breaker Tripped","Path":', text(path()),
    ',"APIID":', text(ngx.var.streamhooks_api_id),
    ',"CircuitEvent":0,"Upstream":', text(group),
  }
end

-- The type of what happened, and its Meta; nothing: nothing did.
local function happened()
  local status = ngx.status
  if status == 401 or status == 403 then
    return "AuthFailure", keyed "Auth Failure"
  end
  -- limit_req answers 503 unless limit_req_status says otherwise.
  if status == 429 or ngx.var.limit_req_status == "REJECTED" or ngx.var.limit_conn_status == "REJECTED" then
    return "RatelimitExceeded", keyed "Rate Limit Exceeded"
  end
  if status == 502 or status == 503 or status == 504 then
    local address = last_of(ngx.var.upstream_addr)
    if address == "" then
      return -- our own answer: no upstream was to be asked
    end
    -- Where no server of a group may be asked, $upstream_addr is the name of the group.
    if not address:find ":" then
      return "BreakerTripped", breaker_tripped(address)
    end
    return "HostDown", host_down(status, address)
  end
end

-- What is dropped, and the account of it.

local function report()
  reporting = false
  local parts = {}
  for why, count in pairs(dropped) do
    parts[#parts + 1] = count .. " " .. why
  end
  table.sort(parts)
  if #parts > 0 then
    ngx.log(ngx.ERR, "streamhooks: events were dropped: ", concat(parts, ", "))
  end
  if trouble then
    ngx.log(ngx.ERR, "streamhooks: Redis: ", trouble, "; ", last - first + 1, " events wait")
  end
  dropped, trouble = {}, nil
end

local function report_later()
  if not reporting then
    reporting = ngx.timer.at(config.report, report) and true or false
  end
end

local function drop(why)
  dropped[why] = (dropped[why] or 0) + 1
  report_later()
end

local function allowed(type)
  local second = floor(ngx.now())
  local count = ngx.shared[config.dict]:incr("cap:" .. type .. ":" .. second, 1, 0, 5)
  return count == nil or count <= config.cap -- a dictionary that is full holds nobody up
end

-- Sending.

local function connect()
  local red = redis:new()
  red:set_timeout(config.timeout)
  local ok, err
  if config.socket then
    ok, err = red:connect("unix:" .. config.socket)
  else
    ok, err = red:connect(config.host, config.port)
  end
  if not ok then
    return nil, err
  end
  if red:get_reused_times() ~= 0 then
    return red
  end
  if config.tls then
    -- By the socket itself: older releases of the library have no option for it.
    ok, err = red._sock:sslhandshake(nil, config.tls_name or config.host, config.tls_verify)
    if not ok then
      return nil, err
    end
  end
  if config.password then
    if config.username then
      ok, err = red:auth(config.username, config.password)
    else
      ok, err = red:auth(config.password)
    end
    if not ok then
      return nil, err
    end
  end
  if config.database ~= 0 then
    ok, err = red:select(config.database)
    if not ok then
      return nil, err
    end
  end
  return red
end

local function stream_of(event)
  if config.partitions == 1 then
    return config.stream
  end
  return config.stream .. ":" .. ngx.crc32_long(event.type .. "\n" .. event.api_id) % config.partitions
end

-- Sends up to `batch` events. Gives true, or nothing and why not; what was not taken stays in the queue.
local function send_batch()
  local red, err = connect()
  if not red then
    return nil, err
  end
  local count = math.min(config.batch, last - first + 1)
  red:init_pipeline(count)
  for offset = 0, count - 1 do
    local event = events[first + offset]
    red:xadd(stream_of(event), "*", "d", event.data)
  end
  local answers
  answers, err = red:commit_pipeline()
  if not answers then
    red:close()
    return nil, err
  end
  red:set_keepalive(60000, 1)
  local refused = {}
  for offset = 0, count - 1 do
    local answer = answers[offset + 1]
    if type(answer) == "table" and answer[1] == false then
      refused[#refused + 1] = events[first + offset]
      err = answer[2]
    end
    events[first + offset] = nil
  end
  first = first + count
  for index = #refused, 1, -1 do -- back to the head, in order
    first = first - 1
    events[first] = refused[index]
  end
  return #refused == 0 or nil, err
end

local send

local function send_later(seconds)
  if not sending and last >= first then
    sending = ngx.timer.at(seconds, send) and true or false -- else with the next event
  end
end

send = function()
  while last >= first do
    -- A worker that exits runs its timers at once (premature): then this is the last try.
    local called, ok, err = pcall(send_batch)
    if not called then
      ok, err = nil, ok
    end
    if not ok then
      trouble = err
      report_later()
      sending = false
      pause = math.min(config.again, pause == 0 and 0.5 or pause * 2)
      return ngx.worker.exiting() or send_later(pause)
    end
    pause = 0
  end
  sending = false
end

-- What others call.

-- Puts an event into the queue. `meta` is the inside of a JSON object. Gives whether it was taken.
function M.publish(type, meta)
  if not allowed(type) then
    drop("of " .. type .. " over the cap of " .. config.cap .. " a second")
    return false
  end
  if last - first + 1 >= config.queue then
    drop "that found the queue full"
    return false
  end
  local api_id = ngx.var.streamhooks_api_id or ""
  last = last + 1
  events[last] = {
    type = type,
    api_id = api_id,
    data = concat {
      '{"type":', text(type),
      ',"ts":', number(ngx.now()),
      ',"api_id":', text(api_id),
      ',"source":', text(config.source),
      ',"meta":{', meta, "}}",
    },
  }
  send_later(config.wait)
  return true
end

-- Looks at the request that has just been answered. For log_by_lua.
function M.log()
  local type, meta = happened()
  if type then
    M.publish(type, meta)
  end
end

-- For init_worker_by_lua. Raises an error for an option that is none.
function M.setup(options)
  for name, value in pairs(options or {}) do
    if config[name] == nil and not M.optional[name] then
      error("streamhooks: " .. tostring(name) .. " is no option", 2)
    end
    config[name] = value
  end
  if not ngx.shared[config.dict] then
    error("streamhooks: there is no lua_shared_dict " .. config.dict, 2)
  end
end

M.optional = { socket = true, username = true, password = true, tls_name = true, key_variable = true }

return M
