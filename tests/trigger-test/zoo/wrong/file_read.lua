-- A file of the machine.
-- caught: attempt to index global 'io'
-- told: triggers have no files

local ctx = hastur.trigger{}
ctx:gauges({ name = "load" }, function(msg)
  local file = io.open("/etc/hostname") -- here
  print(file)
end)
