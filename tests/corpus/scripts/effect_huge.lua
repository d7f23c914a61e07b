-- tries: a derived message that is too large
-- verdict: raised
-- line: 7
-- text: larger than 256 KiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  hastur.mark("x", ("x"):rep(300000))
end)
