-- caught: slack: the text must be a string, got nil
local ctx = hastur.trigger{ state = { hosts = {}, count = 0 } }
ctx:gauges({ name = "queue" }, function(msg)
  if not ctx.state.hosts[msg.uuid] then
    ctx.state.hosts[msg.uuid] = true
    ctx.state.count = ctx.state.count + 1
  end
  if ctx.state.count >= 5 then slack(ctx.state.text) end -- here
end)
