-- A msg that is kept beyond its call.
-- caught: state.last is a msg
-- told: msg:to_table()

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load", value = { above = 5 } }, function(msg)
  ctx.state.last = msg -- here
end)
