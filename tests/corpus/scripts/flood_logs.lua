-- tries: very many log lines
-- verdict: harmless
-- effects: 648
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for i = 1, 5000 do print(("x"):rep(100)) end
end)
