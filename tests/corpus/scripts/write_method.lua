-- tries: another method of ctx
-- verdict: raised
-- line: 7
-- text: ctx.gauges cannot be written
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.gauges = print
end)
