-- tries: joins a range without an end
-- verdict: raised
-- line: 7
-- text: invalid value
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local made = table.concat({ 1 }, "", -1e300, 1e300)
end)
