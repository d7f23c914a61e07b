-- A list that is empty, then not, then empty again.

local ctx = hastur.trigger{ state = { queue = {} } }
ctx:marks({ name = "job", value = { "added", "done" } }, function(msg)
  if msg.value == "added" and #ctx.state.queue < 100 then
    table.insert(ctx.state.queue, { host = msg.host, tags = {} })
  elseif msg.value == "done" then
    table.remove(ctx.state.queue, 1)
  end
end)
