-- A local that a function changes: both end with the call.

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local count = 0
  local function add(n) count = count + n end
  for i = 1, 3 do add(i) end
  hastur.gauge("load.sum", count + msg.value)
end)
