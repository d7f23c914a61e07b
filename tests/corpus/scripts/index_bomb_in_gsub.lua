-- tries: gsub through a table that calls gsub
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t
  t = setmetatable({}, { __index = function() return (("x"):gsub(".", t)) end })
  return ("x"):gsub(".", t)
end)
