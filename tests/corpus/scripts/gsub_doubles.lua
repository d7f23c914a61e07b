-- tries: a text that doubles by gsub
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = "x"
  while true do text = text:gsub(".", "%0%0") end
end)
