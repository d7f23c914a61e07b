-- A host whose processors were busy for a whole minute: page once, resolve when it has calmed down or fallen silent.
--
-- Each minute's average is published, too. What we could not hear ourselves is no silence of theirs: stale waits for it.
local ctx  = hastur.trigger{ state_bytes_max = "16MiB" } -- a host takes 600 bytes
local busy = ctx:window("busy", { span = "1m" })
local high = ctx:alert("cpu_busy", { raise = { at_least = 90 }, clear = { below = 70 }, stale = "15m" }) -- percent

ctx:gauges({ name = "system.cpu.busy" }, function(msg) busy:add(msg.host, msg.value) end)

ctx:every("minute", function()
  for host, w in busy:each() do
    hastur.gauge("system.cpu.busy.minute", w.mean, { host = host })
    high:set(host, w.mean, ("%s was %.0f %% busy for a minute"):format(host, w.mean), { average = w.mean })
  end
end)
