-- tries: recursion through __newindex
-- verdict: raised
-- line: 7
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = setmetatable({}, { __newindex = function(self, key, value) self[key .. "x"] = value return nil, 1 end })
  t.x = 1
end)
