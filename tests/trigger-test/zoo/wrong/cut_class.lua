-- caught: is a string that is not UTF-8
-- told: keep no cut-off
local ctx = hastur.trigger{ state = { last = "" } }
ctx:errors({}, function(msg)
  ctx.state.last = tostring(msg.class):sub(1, 3) -- here
end)
