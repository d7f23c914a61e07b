-- tries: recursion through __eq
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  mt.__eq = function(a, b) return not (a == b) end
  return setmetatable({}, mt) == setmetatable({}, mt)
end)
