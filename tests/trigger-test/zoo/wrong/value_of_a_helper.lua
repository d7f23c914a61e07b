-- What a helper keeps, in the state as well.
-- caught: stands elsewhere in the state
-- told: keep a copy

local ctx = hastur.trigger{ state = {} }
local hosts = ctx:keyed("hosts", { max = 100 })
ctx:gauges({ name = "load" }, function(msg)
  ctx.state.newest = hosts:at(msg.host) -- here
end)
