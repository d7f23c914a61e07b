-- tries: details that grow when they are written
-- verdict: instructions
-- line: 9
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = { "x" }
  for i = 1, 60 do t = { t, t } end
  while true do pcall(slack, "x", { details = t }) end
end)
