-- tries: feeds itself for ever
-- verdict: raised
-- line: 7
-- text: derived 8 times over
local ctx = hastur.trigger{ state = { n = 0 }, own = true }
ctx:gauges({ name = "hostile" }, function(msg) hastur.gauge("itself", 1) end)
ctx:gauges({ name = "itself" }, function(msg) hastur.gauge("itself", msg.value + 1) end)
