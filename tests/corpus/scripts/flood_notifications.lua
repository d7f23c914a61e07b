-- tries: very many notifications
-- verdict: harmless
-- effects: 612
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for i = 1, 5000 do pager_duty("k" .. i, "text") end
end)
