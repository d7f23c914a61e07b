-- tries: labels of odd names
-- verdict: harmless
-- effects: 12
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.gauge("x", 1, { [""] = "", ["\0"] = "\0", trigger = "another", ["a.b"] = true, ["\"" ] = 1 })
end)
