-- tries: a loop of tables that index one another
-- verdict: raised
-- line: 10
-- text: loop in gettable
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local a, b = {}, {}
  setmetatable(a, { __index = b })
  setmetatable(b, { __index = a })
  return a.x
end)
