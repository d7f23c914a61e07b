-- A sign for each minute of a week.
local ctx = hastur.trigger{ state = { bits = "" } }
ctx:gauges({ name = "x" }, function(msg) ctx.state.v = msg.value end)
ctx:every("minute", function()
  local b = ctx.state.bits .. ((ctx.state.v or 0) > 90 and "1" or "0")
  if #b > 7 * 1440 then b = b:sub(2) end
  ctx.state.bits = b
end)
