-- tries: effects full of bytes that JSON escapes
-- verdict: harmless
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = ("\1"):rep(200000)
  print(text)
  slack(text)
  hastur.mark("x", text:sub(1, 40000))
end)
