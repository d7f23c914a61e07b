-- tries: a key that is no text
-- verdict: judgement
-- text: is a key that is not UTF-8
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state["\255"] = 1
end)
