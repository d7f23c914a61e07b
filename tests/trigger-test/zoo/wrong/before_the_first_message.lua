-- A tick before any message.
-- caught: attempt to index field 'last'
-- told: ctx.state.last is nil until something is put there

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load" }, function(msg) ctx.state.last = { value = msg.value } end)
ctx:every("second", function(tick)
  hastur.gauge("load.last", ctx.state.last.value) -- here
end)
