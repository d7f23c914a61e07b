-- The same number again and again: its variance comes out a little below zero.
-- caught: the value is not finite
-- told: what math.sqrt is given at
local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "rt" }, function(msg)
  local s = ctx.state[msg.host] or { n = 0, sum = 0, squares = 0 }
  ctx.state[msg.host] = s
  s.n, s.sum, s.squares = s.n + 1, s.sum + msg.value, s.squares + msg.value ^ 2
  local deviation = math.sqrt(s.squares / s.n - (s.sum / s.n) ^ 2)
  hastur.gauge("rt.deviation", deviation, { host = msg.host }) -- here
end)
