-- tries: a finaliser that comes into a metatable afterwards, where it does nothing
-- verdict: harmless
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  setmetatable({}, mt)
  mt.__gc = function() while true do end end
  for i = 1, 1e5 do setmetatable({}, nil) end
end)
