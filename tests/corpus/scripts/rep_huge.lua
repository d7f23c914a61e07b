-- tries: a text that does not fit
-- verdict: raised
-- line: 7
-- text: string.rep would make a text of more than 32 MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(2 ^ 31)
end)
