-- tries: __index functions that index one another
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = setmetatable({}, {})
  getmetatable(t).__index = function(self, key) return self[key] .. "" end
  return t.x
end)
