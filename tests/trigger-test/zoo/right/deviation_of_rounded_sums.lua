-- What comes out below zero by rounding is zero.
local ctx = hastur.trigger{ state = { n = 0, sum = 0, squares = 0 } }
ctx:gauges({ name = "rt", value = { at_least = 0, at_most = 1e6 } }, function(msg)
  local s = ctx.state
  s.n, s.sum, s.squares = s.n + 1, s.sum + msg.value, s.squares + msg.value ^ 2
  hastur.gauge("rt.deviation", math.sqrt(math.max(0, s.squares / s.n - (s.sum / s.n) ^ 2)))
end)
