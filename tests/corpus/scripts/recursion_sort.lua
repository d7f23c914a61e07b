-- tries: recursion through sort
-- verdict: raised
-- line: 7
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f() table.sort({ 1, 2 }, f) return false end
  f()
end)
