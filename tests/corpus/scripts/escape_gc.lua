-- tries: a finaliser
-- verdict: refused
-- line: 7
-- text: the field '__gc' cannot be set
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable({}, { __gc = function() end })
end)
