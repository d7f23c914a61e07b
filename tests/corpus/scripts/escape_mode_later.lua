-- tries: a table that is made weak after it got its metatable
-- verdict: refused
-- line: 9
-- text: weak tables are not allowed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  local weak = setmetatable({}, mt)
  mt.__mode = "k"
  weak[{}] = true
  for i = 1, 1e5 do local garbage = {} end
  ctx.state.n = next(weak) == nil and 1 or 0
end)
