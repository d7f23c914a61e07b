-- tries: recursion through gsub
-- verdict: raised
-- line: 7
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f() return (("x"):gsub(".", f)) end
  f()
end)
