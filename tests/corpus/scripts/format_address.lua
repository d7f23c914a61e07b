-- tries: an address by %p
-- verdict: raised
-- line: 7
-- text: %p would show an address
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("%p"):format(ctx)
end)
