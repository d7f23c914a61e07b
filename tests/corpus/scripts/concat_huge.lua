-- tries: joins a list into a text that does not fit
-- verdict: raised
-- line: 10
-- text: table.concat would make a text of more than 32 MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list = {}
  local text = ("x"):rep(100000)
  for i = 1, 1000 do list[i] = text end
  local made = table.concat(list)
end)
