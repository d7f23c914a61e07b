-- A list whose texts have so many bytes together.
local ctx = hastur.trigger{ state = { log = {}, bytes = 0 } }
ctx:events({ name = "x" }, function(msg)
  local s = ctx.state
  local line = msg.host .. " " .. hastur.utc(msg.timestamp)
  s.log[#s.log + 1] = line
  s.bytes = s.bytes + #line
  while s.bytes > 100000 do s.bytes = s.bytes - #table.remove(s.log, 1) end
end)
