-- Whoever comes first is the leader, and is paged for.
-- caught: the order of messages that come at the same instant
-- told: decide in ctx:every

local ctx = hastur.trigger{ state = {} }
ctx:agent_heartbeats({}, function(msg)
  if ctx.state.leader then return end
  ctx.state.leader = msg.uuid
  pager_duty("leader/" .. msg.uuid, "a new leader") -- here
end)
