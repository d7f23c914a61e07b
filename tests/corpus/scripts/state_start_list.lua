-- tries: a first state that is a list
-- verdict: refused
-- line: 5
-- text: hastur.trigger: state
local ctx = hastur.trigger{ state = { 1, 2, 3 } }
ctx:gauges({ name = "hostile" }, function(msg) end)
