-- tries: an endless arithmetic metamethod
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = setmetatable({}, { __add = function() while true do end end })
  return t + 1
end)
