-- tries: a proxy that stands before the state
-- verdict: harmless
-- state: {"n":12}
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local proxy = setmetatable({}, { __index = ctx.state, __newindex = function(_, key, value) ctx.state[key] = value end })
  proxy.n = proxy.n + 1
end)
