-- Six of the last hundred requests of a service took over a second: page. Resolve at three.
--
-- By count, not by time: at night a hundred requests may take an hour, and six slow ones hurt as many people. A service
-- that is not heard of for six hours is forgotten, with its incident: a window of the last values never forgets by itself.
local ctx      = hastur.trigger{ state_bytes_max = "32MiB" } -- a service takes 400 bytes
local slow     = ctx:window("slow", { last = 100 })
local services = ctx:keyed("services", { forget = "1d" })
local alert    = ctx:alert("slow_requests", { raise = { at_least = 0.06 }, clear = { at_most = 0.03 }, stale = "6h" })

ctx:gauges({ name = "http.request.seconds", labels = { service = true } }, function(msg)
  local service = msg.labels.service
  services:touch(service)
  slow:add(service, msg.value > 1)
  if slow:full(service) then
    local text = ("%s: %d of 100 requests took over a second"):format(service, slow:sum(service))
    alert:set(service, slow:mean(service), text)
  end
end)

services:silent("6h", function(service) slow:drop(service) end)
