-- tries: goes on after it has called itself too deep
-- verdict: raised
-- line: 9
-- text: caught: 
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f() return 1 + f() end
  local ok, text = pcall(f)
  error("caught: " .. text)
end)
