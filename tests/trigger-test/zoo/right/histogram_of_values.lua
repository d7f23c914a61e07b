-- There is an end of the ranges that values are in, and of those that are kept.
local ctx = hastur.trigger{ state = { tens = {}, last = {}, at = 0, seen = {}, size = 0 } }
local recent = ctx:keyed("recent", { forget = "1h", max = 10000 })
ctx:gauges({ name = "latency" }, function(msg)
  local s = ctx.state
  local ten = tostring(math.floor(msg.value / 10))
  s.tens[ten] = (s.tens[ten] or 0) + 1
  s.at = s.at % 50 + 1
  s.last[s.at] = msg.value
  recent:at(tostring(msg.value)).at = msg.received_at
  local k = tostring(msg.value)
  if s.size < 1000 and not s.seen[k] then
    s.seen[k] = true
    s.size = s.size + 1
  end
end)
