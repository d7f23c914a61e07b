-- tries: a method of ctx on a message
-- verdict: raised
-- line: 7
-- text: with a colon
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local x = ctx.gauges(msg, {}, print)
end)
