-- caught: send_email: the notification is larger than 256 KiB with 2000 entries in state.texts
-- told: write the first few and how many there are
local ctx = hastur.trigger{ state = { texts = {} } }
ctx:gauges({ name = "queue" }, function(msg)
  local texts = ctx.state.texts
  texts[#texts + 1] = ("x"):rep(300)
  if #texts > 2000 then
    send_email("ops@example.com", "all of it", table.concat(texts)) -- here
    ctx.state.texts = {}
  end
end)
