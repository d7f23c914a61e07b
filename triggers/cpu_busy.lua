-- A host whose processors were busy for a whole minute: page once, resolve when it has calmed down or fallen silent.
local ctx = hastur.trigger{ state = { hosts = {} } }

local busy_from, calm_below = 90, 70 -- percent, averaged over a minute

ctx:gauges({ name = "system.cpu.busy" }, function(msg)
  local host = ctx.state.hosts[msg.host] or { sum = 0, count = 0, paged = false }
  host.sum, host.count = host.sum + msg.value, host.count + 1
  ctx.state.hosts[msg.host] = host
end)

ctx:every("minute", function(tick)
  for name, host in pairs(ctx.state.hosts) do
    if host.count == 0 then -- silent for a minute: others watch over that
      ctx.state.hosts[name] = nil
      if host.paged then
        pager_duty("cpu_busy/" .. name, name .. " has not reported for a minute", {}, { action = "resolve" })
      end
    else
      local average = host.sum / host.count
      hastur.gauge("system.cpu.busy.minute", average, { host = name })
      if average >= busy_from and not host.paged then
        host.paged = true
        pager_duty("cpu_busy/" .. name, ("%s was %.0f %% busy for a minute"):format(name, average), { average = average })
      elseif average < calm_below and host.paged then
        host.paged = false
        pager_duty("cpu_busy/" .. name, ("%s has calmed down: %.0f %%"):format(name, average), {}, { action = "resolve" })
      end
      host.sum, host.count = 0, 0
    end
  end
end)
