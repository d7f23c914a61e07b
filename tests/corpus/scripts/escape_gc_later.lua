-- tries: a finaliser that comes into a metatable afterwards
-- verdict: refused
-- line: 9
-- text: the field '__gc' cannot be set
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local mt = {}
  setmetatable({}, mt)
  mt.__gc = function() end
end)
