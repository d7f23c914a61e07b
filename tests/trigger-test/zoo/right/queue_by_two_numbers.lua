-- A queue in a table whose keys are texts with numbers in them.
local ctx = hastur.trigger{ state = { q = {}, first = 1, last = 0 } }
ctx:gauges({ name = "x" }, function(msg)
  local s = ctx.state
  s.last = s.last + 1
  s.q["i" .. s.last] = msg.value
  while s.last - s.first >= 4000 do s.q["i" .. s.first] = nil s.first = s.first + 1 end
end)
