-- tries: a metatable of the state itself
-- verdict: judgement
-- text: has a metatable
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable(ctx.state, { __newindex = function() end })
end)
