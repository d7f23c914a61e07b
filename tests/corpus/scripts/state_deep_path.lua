-- tries: an offender below many long keys
-- verdict: judgement
-- text: is a function
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = ctx.state
  for i = 1, 90 do
    local key = ("k"):rep(5000) .. i
    t[key] = {}
    t = t[key]
  end
  t.f = print
end)
