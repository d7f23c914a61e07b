-- tries: loads bytecode
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  return load("\27LJ\2\0")()
end)
