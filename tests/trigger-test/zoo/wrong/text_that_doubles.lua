-- A text that is doubled until memory is out.
-- caught: out of memory
-- told: make no texts or tables that grow

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg) -- here
  local text = "a text of a few letters"
  for i = 1, 40 do text = text .. text end
  print(#text)
end)
