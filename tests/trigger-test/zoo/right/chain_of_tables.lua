-- A long chain of metatables, which takes long to walk.

local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "load" }, function(msg)
  local last = { v = 1 }
  for i = 1, 95 do last = setmetatable({}, { __index = last }) end
  local sum = 0
  for i = 1, 20000 do sum = sum + last.v end
  ctx.state.n = sum
end)
