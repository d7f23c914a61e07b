-- tries: a text that doubles by rep
-- verdict: memory
-- line: 6
-- text: out of memory: a trigger may use 64MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = "x"
  while true do text = text:rep(2) end
end)
