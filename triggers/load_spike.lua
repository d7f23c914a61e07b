-- The load of transcoding hosts: page on a spike, publish how many there were.
local ctx = hastur.trigger{ state = { total = 0 } }

ctx:gauges({ name = "ots.transcoding.load", labels = { send_to = "load_tester" } }, function(msg)
  if msg.value > 10.0 then
    pager_duty("Monitoring-load-spiking-" .. msg.uuid,
      ("The load has spiked to %s on host %s"):format(msg.value, msg.host),
      { message = msg:to_table(), load = msg.value, uuid = msg.uuid })
    ctx.state.total = ctx.state.total + 1
  end
end)

ctx:every("minute", function(tick)
  hastur.gauge("ots.transcoding.load.spikes", ctx.state.total)
end)
