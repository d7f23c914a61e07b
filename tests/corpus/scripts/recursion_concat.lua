-- tries: recursion through __concat
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  mt.__concat = function(a, b) return (a .. b) .. "" end
  return setmetatable({}, mt) .. "x"
end)
