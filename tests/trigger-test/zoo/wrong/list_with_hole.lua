-- An element of a list that is set to nil.
-- caught: state.last is a list with holes
-- told: hastur.null for what is missing

local ctx = hastur.trigger{ state = { last = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local last = ctx.state.last
  last[1], last[2], last[3] = msg.value, msg.value, msg.value
  if msg.value > 50 then
    last[2] = nil -- here
  end
end)
