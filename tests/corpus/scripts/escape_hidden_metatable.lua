-- tries: a metatable that hides
-- verdict: raised
-- line: 7
-- text: a metatable with __metatable is not allowed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable({}, { __metatable = 1 })
end)
