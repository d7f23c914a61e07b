-- tries: remembers in the step of pairs
-- verdict: judgement|refused|raised
local ctx = hastur.trigger{ state = { n = 0 } }
local constants = { a = 1, b = 2, c = 3 }
local step = pairs(constants)
ctx:gauges({ name = "hostile" }, function(msg) ctx.state.last = step(constants) end)
