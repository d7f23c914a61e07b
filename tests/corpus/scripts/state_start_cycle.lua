-- tries: a first state that holds itself
-- verdict: refused
-- line: 7
-- text: stands elsewhere in the state, too
local start = {}
start.me = start
local ctx = hastur.trigger{ state = start }
ctx:gauges({ name = "hostile" }, function(msg) end)
