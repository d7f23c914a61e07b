-- More than 10 % errors over 5 minutes per service, clear under 5 %.
local ctx    = hastur.trigger{ state_bytes_max = "16MiB" }
local errors = ctx:window("errors", { span = "5m" })
local alert  = ctx:alert("rate", { raise = { above = 0.10 }, clear = { below = 0.05 }, stale = "5m" })
ctx:counters({ name = "http.requests", labels = { service = true, status = { at_least = 0 } } }, function(msg)
  errors:add(msg.labels.service, msg.labels.status >= 500, math.max(msg.value, 0))
end)
ctx:every("10s", function()
  for service, w in errors:each() do
    -- Few requests raise nothing; what is open is followed down to the last of them.
    if w.count >= 50 or alert:is_open(service) then
      alert:set(service, w.mean, ("%s: %.0f %% errors"):format(service, w.mean * 100))
    end
  end
end)
