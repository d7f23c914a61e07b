-- tries: effects whose bytes are no text
-- verdict: harmless
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local text = "\255\254\0\237\160\128"
  print(text)
  slack(text, { key = text })
  pager_duty(text, text, { [text] = text })
  hastur.mark(text, text, { [text] = text })
  hastur.event(text, text, text, { text })
end)
