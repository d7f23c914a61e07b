-- tries: very many derived messages
-- verdict: harmless
-- effects: 10000
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for i = 1, 5000 do hastur.gauge("flood", i) end
end)
