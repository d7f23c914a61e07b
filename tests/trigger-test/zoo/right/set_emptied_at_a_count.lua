-- A set that is emptied when its counter says so.
local ctx = hastur.trigger{ state = { seen = {}, n = 0 } }
ctx:logs({ subject = "app" }, function(msg)
  local s, k = ctx.state, tostring(msg.timestamp)
  if not s.seen[k] then
    if s.n >= 1500 then s.seen, s.n = {}, 0 end
    s.seen[k], s.n = true, s.n + 1
  end
end)
