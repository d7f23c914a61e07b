-- What is older than thirty days goes.

local ctx = hastur.trigger{ state = { days = {} } }
ctx:gauges({ name = "load" }, function(msg)
  local days = ctx.state.days
  local today = hastur.utc(hastur.now(), "%Y-%m-%d")
  days[today] = (days[today] or 0) + 1
  local oldest = hastur.utc(hastur.now() - hastur.us("30d"), "%Y-%m-%d")
  for day in pairs(days) do
    if day < oldest then days[day] = nil end
  end
end)
