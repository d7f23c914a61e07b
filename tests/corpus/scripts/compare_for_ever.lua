-- tries: compares long texts again and again, in single instructions
-- verdict: killed
-- text: of CPU in one callback
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local a, b = ("x"):rep(8000000) .. "a", ("x"):rep(8000000) .. "b"
  local n = 0
  while true do if a < b then n = n + 1 end end
end)
