-- A slot by the time of a message, which may be late.
-- caught: state.slots
-- told: use strings as keys

local ctx = hastur.trigger{ state = { slots = {} } }
ctx:counters({ name = "requests" }, function(msg)
  local age = math.floor((hastur.now() - msg.timestamp) / hastur.us("60s")) + 1
  if age <= 10 then
    ctx.state.slots[age] = (ctx.state.slots[age] or 0) + 1 -- here
  end
end)
