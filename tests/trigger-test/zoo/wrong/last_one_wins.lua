-- The page names whoever came last.
-- caught: the order of messages that come at the same instant
-- told: decide in ctx:every

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load" }, function(msg) ctx.state.last = msg.host end)
ctx:every("10s", function()
  if not ctx.state.last then return end
  pager_duty("load", "the last was " .. ctx.state.last) -- here
  ctx.state.last = nil
end)
