-- A session ends after half an hour of silence, which may never come.
-- caught: grows without end
-- told: forget
local ctx = hastur.trigger{ state = { s = {} } }
ctx:events({ name = "click" }, function(msg)
  local s = ctx.state.s[msg.host]
  if not s or hastur.now() - s.last > hastur.us("30m") then s = { pages = {} } ctx.state.s[msg.host] = s end
  s.last = hastur.now()
  table.insert(s.pages, msg.subject or "?")  -- here
end)
