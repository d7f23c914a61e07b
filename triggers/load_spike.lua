-- The load of transcoding hosts: page when it spikes over 10, resolve when it is back under 5, publish how many there
-- were.
--
-- Between 5 and 10 nothing changes, so a host that dances around 10 is one spike and one page.
local ctx   = hastur.trigger{ state = { total = 0 }, state_bytes_max = "16MiB" }
local spike = ctx:alert("spike", { raise = { above = 10 }, clear = { below = 5 }, stale = "10m" })

-- What people need of it: a whole message may be larger than details can be.
local function brief(msg)
  return { name = msg.name, value = msg.value, timestamp = msg.timestamp, uuid = msg.uuid, host = msg.host }
end

ctx:gauges({ name = "ots.transcoding.load", labels = { send_to = "load_tester" } }, function(msg)
  local before = spike:is_open(msg.uuid)
  spike:set(msg.uuid, msg.value, ("the load of %s is %.1f"):format(msg.host, msg.value), { message = brief(msg) })
  if spike:is_open(msg.uuid) and not before then ctx.state.total = ctx.state.total + 1 end
end)

ctx:every("minute", function() hastur.gauge("ots.transcoding.load.spikes", ctx.state.total) end)
