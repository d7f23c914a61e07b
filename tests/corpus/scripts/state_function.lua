-- tries: a function in the state
-- verdict: judgement
-- text: state.servers.web1.callback is a function
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ctx.state.servers = { web1 = { callback = function() end } }
end)
