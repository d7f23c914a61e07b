-- A host whose agent has not been heard for 30 seconds: page once, resolve when it is back.
--
-- What the syndicator could not hear (tick.deaf) is not held against the hosts: their last sign of life moves on
-- by as much.
local ctx = hastur.trigger{ state = { hosts = {} } }

ctx:agent_heartbeats({}, function(msg)
  local host = ctx.state.hosts[msg.uuid]
  if host and host.paged then
    pager_duty("no_heartbeat/" .. msg.uuid, "Heartbeats are back from " .. msg.host, {}, { action = "resolve" })
  end
  ctx.state.hosts[msg.uuid] = { seen = hastur.now(), name = msg.host, paged = false }
end)

ctx:every("second", function(tick)
  for uuid, host in pairs(ctx.state.hosts) do
    host.seen = host.seen + tick.deaf
    local silent = tick.time - host.seen
    if not host.paged and silent >= hastur.us("30s") then
      host.paged = true
      pager_duty("no_heartbeat/" .. uuid, "No heartbeat for 30 s from " .. host.name, { uuid = uuid })
    elseif silent >= hastur.us("1d") then
      ctx.state.hosts[uuid] = nil -- gone for good: forget it
    end
  end
end)
