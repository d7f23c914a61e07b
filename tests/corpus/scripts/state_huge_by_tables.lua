-- tries: very many small tables
-- verdict: judgement
-- text: state is larger than 1048576 bytes of JSON
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  for i = 1, 400000 do t[i] = {} end
  ctx.state.t = t
end)
