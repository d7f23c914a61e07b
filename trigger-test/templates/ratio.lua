-- The part of requests that fail: page over 10 % in five minutes, resolve under 5 %, a service at a time.
--
-- Fewer than 50 requests raise nothing: one of two is 50 %, and no reason to get up. What is open is followed to its end.
local ctx    = hastur.trigger()
local failed = ctx:window("failed", { span = "5m" })
local rate   = ctx:alert("rate", { raise = { above = 0.10 }, clear = { below = 0.05 }, stale = "5m" })

-- A counter's value is how many there were since the last one.
ctx:counters({ name = "http.requests", labels = { service = true, status = { at_least = 0 } } }, function(msg)
  failed:add(msg.labels.service, msg.labels.status >= 500, math.max(msg.value, 0))
end)

ctx:every("10s", function()
  for service, w in failed:each() do
    if w.count >= 50 or rate:is_open(service) then
      rate:set(service, w.mean, ("%s: %.0f %% of requests fail"):format(service, w.mean * 100), { requests = w.count })
    end
  end
end)
