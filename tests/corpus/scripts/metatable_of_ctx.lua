-- tries: a metatable of ctx
-- verdict: raised
-- line: 7
-- text: table expected
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable(ctx, {})
end)
