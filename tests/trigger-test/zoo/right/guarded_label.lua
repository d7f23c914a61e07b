-- A label that need not be there, and is asked for.

local ctx = hastur.trigger{}
ctx:gauges({ name = "disk.used" }, function(msg)
  local mount = msg.labels.mount or "/"
  print(tostring(mount) .. " is " .. msg.value)
end)
