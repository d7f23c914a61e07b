-- A label that may be a text, made a number.

local ctx = hastur.trigger{ state = { failed = 0 } }
ctx:counters({ name = "http.requests" }, function(msg)
  local status = tonumber(msg.labels.status)
  if status and status >= 500 then ctx.state.failed = ctx.state.failed + (msg.value or 1) end
end)
