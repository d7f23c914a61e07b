-- A subscription for each new host.
-- caught: only while the script is loaded
-- told: top of the file

local ctx = hastur.trigger{}
ctx:registrations({ type = "reg_agent" }, function(msg)
  ctx:gauges({ uuid = msg.uuid }, function(gauge) print(gauge.value) end) -- here
end)
