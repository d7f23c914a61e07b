-- tries: an endless __lt under table.sort
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = { __lt = function() while true do end end }
  table.sort({ setmetatable({}, mt), setmetatable({}, mt) })
end)
