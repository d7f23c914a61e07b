-- caught: attempt to index field 'by'
-- told: hastur.trigger{ state = { by = {} } }
local ctx = hastur.trigger{}
ctx:errors({}, function(msg)
  ctx.state.by[msg.class or "?"] = (ctx.state.by[msg.class or "?"] or 0) + 1 -- here
end)
