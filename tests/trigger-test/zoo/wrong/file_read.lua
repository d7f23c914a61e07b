-- A file of the machine.
-- caught: attempt to index global 'io'
-- told: there is no global 'io'

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local file = io.open("/etc/hostname") -- here
  print(file)
end)
