-- tries: an endless __call
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = setmetatable({}, { __call = function() while true do end end })
  t()
end)
