local ctx = hastur.trigger{}
local errors = ctx:window("errors", { span = "5m" })
ctx:counters({ name = "http.requests", labels = { status = { at_least = 0 } } }, function(msg)
  errors:add("all", msg.labels.status >= 500, msg.value) -- a counter may take something back
end)
