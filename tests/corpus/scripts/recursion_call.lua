-- tries: recursion through __call
-- verdict: raised
-- line: 7
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = setmetatable({}, { __call = function(self) return 1 + self() end })
  t()
end)
