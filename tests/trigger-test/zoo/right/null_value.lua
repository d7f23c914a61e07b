-- A mark whose value may be null, and that is looked at.

local ctx = hastur.trigger{ state = { version = "unknown" } }
ctx:marks({ name = "deployed" }, function(msg)
  ctx.state.version = msg.value ~= hastur.null and msg.value or "unknown"
  ctx.state.raw = msg.value
end)
