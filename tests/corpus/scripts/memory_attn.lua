-- tries: an event for one long name many times
-- verdict: raised
-- line: 9
-- text: larger than 256 KiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local attn, text = {}, ("x"):rep(30000000)
  for i = 1, 1000 do attn[i] = text end
  hastur.event("x", "subject", "body", attn)
end)
