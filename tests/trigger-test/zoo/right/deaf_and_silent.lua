-- Deadlines that move with what we could not hear.

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:agent_heartbeats({}, function(msg) ctx.state.seen[msg.uuid] = hastur.now() end)
ctx:every("second", function(tick)
  for uuid, at in pairs(ctx.state.seen) do
    ctx.state.seen[uuid] = at + tick.deaf
    if tick.time - at >= hastur.us("30s") then
      pager_duty("silent/" .. uuid, "No heartbeat")
      ctx.state.seen[uuid] = nil
    end
  end
end)
