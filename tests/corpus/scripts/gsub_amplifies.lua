-- tries: a replacement that multiplies its text
-- verdict: raised
-- line: 7
-- text: string.gsub would make a text of more than 32 MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  ("x"):rep(1000000):gsub(".*", ("%0"):rep(500000))
end)
