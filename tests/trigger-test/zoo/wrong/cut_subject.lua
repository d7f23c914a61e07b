-- caught: is a string that is not UTF-8
-- told: keep no cut-off
local ctx = hastur.trigger{ state = { last = "" } }
ctx:events({ name = "note" }, function(msg)
  ctx.state.last = (msg.subject or ""):sub(1, 10) -- here
end)
