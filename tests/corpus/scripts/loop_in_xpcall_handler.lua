-- tries: an endless loop in the handler of an error
-- verdict: instructions
-- line: 7
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  xpcall(error, function() while true do end end)
  ctx.state.escaped = true
end)
