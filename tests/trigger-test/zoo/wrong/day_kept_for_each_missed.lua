-- A mail for each day that was missed is right, a list of all days is not.
-- caught: state.sent grows without end
-- told: forget
local ctx = hastur.trigger{ state = { sent = {} } }
ctx:every("day", function(tick)
  for d = 0, tick.missed do
    local day = hastur.utc(tick.time - d * 86400e6, "%F")
    ctx.state.sent[#ctx.state.sent + 1] = day  -- here
    send_email("ops@example.com", "report of " .. day)
  end
end)
