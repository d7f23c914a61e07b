-- tries: options that run code when they are read
-- verdict: harmless
-- effects: 12
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  slack("x", setmetatable({}, { __index = function() error("escaped") end }))
end)
