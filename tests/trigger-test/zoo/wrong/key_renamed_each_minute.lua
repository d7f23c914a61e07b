-- The counter of each host comes and goes; what it is renamed to stays.
-- caught: state.jobs grows without end
-- told: forget
local ctx = hastur.trigger{ state = { jobs = {} } }
ctx:events({ name = "job" }, function(msg)
  ctx.state.jobs[msg.host] = (ctx.state.jobs[msg.host] or 0) + 1
end)
ctx:every("minute", function(tick)
  for k, v in pairs(ctx.state.jobs) do
    if not k:find("@") then
      ctx.state.jobs[k .. "@" .. hastur.utc(tick.time)] = v  -- here
      ctx.state.jobs[k] = nil
    end
  end
end)
