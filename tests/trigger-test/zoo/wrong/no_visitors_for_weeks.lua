-- Nothing in two of four weeks: 0 / 0.
-- caught: not a number
-- told: look at the divisor
local ctx = hastur.trigger{ state = { weeks = {} } }
ctx:counters({ name = "signups" }, function(msg) ctx.state.n = (ctx.state.n or 0) + msg.value end)
ctx:every("week", function(tick)
  local w = ctx.state.weeks
  w[#w + 1] = ctx.state.n or 0
  if #w > 4 then table.remove(w, 1) end
  if #w == 4 then
    local change = (w[4] - w[3]) / w[3] * 100
    ctx.state.change = change  -- here
    send_email("ceo@example.com", "signups", ("%+.1f %%"):format(change))
  end
  ctx.state.n = 0
end)
