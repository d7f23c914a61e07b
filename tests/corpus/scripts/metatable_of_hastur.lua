-- tries: a metatable of hastur
-- verdict: raised
-- line: 7
-- text: table expected
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable(hastur, {})
end)
