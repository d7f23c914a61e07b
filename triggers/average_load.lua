-- The average of system.load.1m over all hosts, each minute, as a statistic of its own.
local ctx = hastur.trigger{ state = { sums = {}, counts = {} } }

ctx:gauges({ name = "system.load.1m" }, function(msg)
  local sums, counts = ctx.state.sums, ctx.state.counts
  sums[msg.host] = (sums[msg.host] or 0) + msg.value
  counts[msg.host] = (counts[msg.host] or 0) + 1
end)

ctx:every("minute", function(tick)
  local total, hosts = 0, 0
  for host, sum in pairs(ctx.state.sums) do
    total = total + sum / ctx.state.counts[host]
    hosts = hosts + 1
  end
  if hosts > 0 then
    hastur.gauge("cluster.load.average", total / hosts, { hosts = hosts })
  end
  ctx.state.sums, ctx.state.counts = {}, {}
end)
