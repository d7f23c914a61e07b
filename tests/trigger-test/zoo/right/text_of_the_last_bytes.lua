-- Of a text only the end is kept.
local ctx = hastur.trigger{ state = { log = "" } }
ctx:events({ name = "x" }, function(msg) ctx.state.log = (ctx.state.log .. msg.host .. " " .. hastur.utc(msg.timestamp) .. "\n"):sub(-100000) end)
