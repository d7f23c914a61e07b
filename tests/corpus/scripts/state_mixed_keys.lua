-- tries: a table with both numbers and names
-- verdict: judgement
-- text: state.t has both numbers and other things as keys
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = { 1, 2, name = 3 }
end)
