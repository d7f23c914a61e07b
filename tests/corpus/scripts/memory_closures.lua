-- tries: closures that hold one another
-- verdict: instructions|memory
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local f = function() end
  while true do
    local before = f
    f = function() return before end
  end
end)
