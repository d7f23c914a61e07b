-- The filter says that there are six values: as keys they have an end.
local ctx = hastur.trigger{ state = { by = {} } }
local OWNER = { "alice", "bob", "carol" }
ctx:gauges({ name = "job.slot", value = { at_least = 0, at_most = 5 } }, function(msg)
  local who = OWNER[msg.value + 1] or ("slot " .. msg.value)
  ctx.state.by[who] = (ctx.state.by[who] or 0) + 1
end)
