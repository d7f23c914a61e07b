-- Counts of what came in an interval.

local ctx = hastur.trigger{ state = { high = {} } }
ctx:gauges({ name = "load" }, function(msg) ctx.state.high[msg.host] = msg.value > 10 or nil end)
ctx:every("10s", function()
  local count = 0
  for _ in pairs(ctx.state.high) do count = count + 1 end
  if count >= 3 then pager_duty("load", count .. " hosts are busy") end
end)
