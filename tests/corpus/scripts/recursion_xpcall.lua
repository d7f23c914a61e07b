-- tries: recursion through the handler of an error
-- verdict: raised
-- line: 6
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f() xpcall(error, f) error("x", 0) end
  f()
end)
