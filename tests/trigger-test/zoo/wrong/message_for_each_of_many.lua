-- So is one of 1,500 derived messages.
-- caught: more effects than it may
-- told: derive and log less
local ctx = hastur.trigger{ state = { q = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local q = ctx.state.q
  q[#q + 1] = msg.value
  if #q >= 1500 then
    for i, v in ipairs(q) do hastur.gauge("load.copy", v) end  -- here
    ctx.state.q = {}
  end
end)
