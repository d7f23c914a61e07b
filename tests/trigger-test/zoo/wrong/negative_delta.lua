-- caught: the weight must not be below 0
-- told: value = { at_least = 0 }
local ctx = hastur.trigger{}
local errors = ctx:window("errors", { span = "5m" })
ctx:counters({ name = "http.requests", labels = { status = { at_least = 0 } } }, function(msg)
  errors:add("all", msg.labels.status >= 500, msg.value) -- here
end)
