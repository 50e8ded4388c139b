-- local publish = require "publish"
-- local id, err = publish("127.0.0.1", 6379, "AuthFailure", "payments", { message = "Auth Failure", path = "/orders/7" })
-- In OpenResty, or in NGINX with its Lua module; where sockets are not allowed (log_by_lua*), inside of ngx.timer.at.
local found, redis = pcall(require, "resty.redis") -- lua-resty-redis
if not found then
  redis = require "nginx.redis" -- Debian's lua-nginx-redis
end

return function(host, port, type, api_id, members, partitions)
  local stream = "gateway:events"
  if partitions and partitions > 1 then
    stream = stream .. ":" .. ngx.crc32_long(type .. "\n" .. api_id) % partitions
  end
  local client = redis:new()
  client:set_timeout(1000) -- milliseconds
  local connected, err = client:connect(host, port)
  if not connected then
    return nil, err
  end
  local words = { stream, "*", "type", type, "api_id", api_id } -- the flat form
  for name, value in pairs(members) do
    words[#words + 1] = name
    words[#words + 1] = value
  end
  local id
  id, err = client:xadd(unpack(words))
  if id then
    client:set_keepalive(60000, 10)
  end
  return id, err
end
