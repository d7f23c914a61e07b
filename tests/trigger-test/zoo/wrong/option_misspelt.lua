-- An option that does not exist, on a path that no test takes.
-- caught: there is no option 'severty'
-- told: did you mean 'severity'

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  if msg.value > 97 then
    pager_duty("load/" .. msg.host, "high", {}, { severty = "critical" }) -- here
  end
end)
