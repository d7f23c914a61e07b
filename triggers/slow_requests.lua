-- Six of the last hundred requests of a service took over a second: page. Resolve at three.
--
-- By count, not by time: at night a hundred requests may take an hour, and six slow ones hurt as many people.
local ctx   = hastur.trigger()
local slow  = ctx:window("slow", { last = 100 })
local alert = ctx:alert("slow_requests", { raise = { at_least = 0.06 }, clear = { at_most = 0.03 }, stale = "6h" })

ctx:gauges({ name = "http.request.seconds", labels = { service = true } }, function(msg)
  local service = msg.labels.service
  slow:add(service, msg.value > 1)
  if slow:full(service) then
    local text = ("%s: %d of 100 requests took over a second"):format(service, slow:sum(service))
    alert:set(service, slow:mean(service), text)
  end
end)
