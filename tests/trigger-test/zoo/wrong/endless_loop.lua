-- A loop that waits for a message that cannot come meanwhile.
-- caught: more than 5000000 instructions in one call
-- told: bound the loop

local ctx = hastur.trigger{ state = { ready = false } }
ctx:marks({ name = "start" }, function(msg)
  while not ctx.state.ready do -- here
  end
end)
