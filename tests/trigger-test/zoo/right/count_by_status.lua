-- A number as a key, but of a range that the filter names.
local ctx = hastur.trigger{ state = { of = {} } }
ctx:gauges({ name = "http.status", value = { at_least = 100, at_most = 599 } }, function(msg)
  local key = tostring(msg.value)
  ctx.state.of[key] = (ctx.state.of[key] or 0) + 1
end)
