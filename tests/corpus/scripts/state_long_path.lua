-- tries: an offender below a very long key
-- verdict: judgement
-- text: is a function
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state[("x"):rep(500000)] = function() end
end)
