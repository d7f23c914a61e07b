-- tries: a log line of one long text many times
-- verdict: raised
-- line: 8
-- text: larger than 256 KiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("x"):rep(30000000)
  print(text, text, text, text)
end)
