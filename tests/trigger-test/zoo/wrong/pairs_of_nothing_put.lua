-- Nobody has put a table there.
-- caught: pairs takes a table, got nil
-- told: hastur.trigger{ state = { limits = {} } }

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  for host, limit in pairs(ctx.state.limits) do -- here
    if msg.value > limit then slack(host .. " is over its limit") end
  end
end)
