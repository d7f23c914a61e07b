-- tries: recursion through tostring
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  mt.__tostring = function(self) return tostring(self) .. "x" end
  return tostring(setmetatable({}, mt))
end)
