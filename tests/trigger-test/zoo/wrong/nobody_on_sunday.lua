-- caught: attempt to concatenate a nil value
local ctx = hastur.trigger{}
local rota = { Mon = "ann", Tue = "bob", Wed = "ann", Thu = "bob", Fri = "ann", Sat = "bob" }
ctx:gauges({ name = "queue" }, function(msg)
  if msg.value > 90 then
    send_email(rota[hastur.utc(hastur.now(), "%a")] .. "@example.com", "queue", "it is long") -- here
  end
end)
