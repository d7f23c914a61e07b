-- tries: tables that index one another, linked after their metatables were set
-- verdict: killed|instructions
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local a = { v = 1 }
  for i = 1, 97 do
    local mt = {}
    local b = setmetatable({}, mt)
    mt.__index = a
    a = b
  end
  while true do
    local _ = a.v
    for i = 1, 10 do
      _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v _ = a.v 
    end
  end
end)
