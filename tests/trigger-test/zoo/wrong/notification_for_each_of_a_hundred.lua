-- A list of a hundred is more than one call may notify.
-- caught: more effects than it may
-- told: send one notification for all
local ctx = hastur.trigger{ state = { q = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local q = ctx.state.q
  q[#q + 1] = msg.value
  if #q >= 100 then
    for i, v in ipairs(q) do slack("load " .. v) end  -- here
    ctx.state.q = {}
  end
end)
