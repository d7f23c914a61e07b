-- Tables of the file that are only read.

local ctx = hastur.trigger{ state = { high = {} } }
local limits = { cpu = 90, disk = { warn = 80, page = 95 } }
local names = { "red", "green", "blue" }
ctx:gauges({ name = "disk.used" }, function(msg)
  if msg.value > limits.disk.page then ctx.state.high[msg.host] = names[#names] end
  for i, name in ipairs(names) do if msg.value == i then print(name) end end
end)
