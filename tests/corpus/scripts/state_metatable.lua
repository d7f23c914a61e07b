-- tries: a state with a metatable
-- verdict: judgement
-- text: has a metatable
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.t = setmetatable({}, { __index = function() return 1 end })
end)
