-- tries: recursion through __lt in sort
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  mt.__lt = function(a, b) table.sort({ a, b }) return false end
  table.sort({ setmetatable({}, mt), setmetatable({}, mt) })
end)
