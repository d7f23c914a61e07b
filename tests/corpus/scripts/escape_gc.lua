-- tries: a finaliser
-- verdict: raised
-- line: 7
-- text: a metatable with __gc is not allowed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable({}, { __gc = function() end })
end)
