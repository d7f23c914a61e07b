-- Up to 500 pages at the end of an hour.
-- caught: more effects than it may
-- told: send one notification for all
local ctx = hastur.trigger{ state = { hosts = {} } }
ctx:agent_heartbeats({}, function(msg)
  local h = ctx.state.hosts
  if #h < 500 then h[#h + 1] = msg.uuid end
end)
ctx:every("hour", function()
  for i, u in ipairs(ctx.state.hosts) do pager_duty("h/" .. i, "alive: " .. u) end  -- here
  ctx.state.hosts = {}
end)
