-- tries: a plain search that nearly matches everywhere
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("a"):rep(4000000)
  local wanted = ("a"):rep(2000000) .. "b"
  while true do text:find(wanted, 1, true) end
end)
