-- A table that loses the oldest entry, with a counter beside it.
local ctx = hastur.trigger{ state = { at = {}, n = 0 } }
ctx:events({ name = "login" }, function(msg)
  local s = ctx.state
  local k = msg.host .. "/" .. tostring(msg.labels.user or "nobody") .. "/" .. hastur.utc(msg.timestamp, "%F %T")
  if not s.at[k] then s.n = s.n + 1 end
  s.at[k] = hastur.now()
  if s.n > 1000 then
    local oldest, when
    for key, at in pairs(s.at) do if not when or at < when then oldest, when = key, at end end
    s.at[oldest] = nil
    s.n = s.n - 1
  end
end)
