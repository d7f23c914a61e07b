-- tries: notifies with a table that is too large, again and again
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  for i = 1, 100000 do t["key" .. i] = i end
  while true do pcall(slack, "x", { details = t }) end
end)
