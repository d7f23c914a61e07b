-- tries: recursion without end
-- verdict: raised
-- line: 7
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f() return 1 + f() end
  f()
end)
