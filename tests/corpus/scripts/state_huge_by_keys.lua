-- tries: very many small entries
-- verdict: judgement
-- text: state is larger than 1048576 bytes of JSON
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  for i = 1, 200000 do ctx.state[tostring(i)] = i end
end)
