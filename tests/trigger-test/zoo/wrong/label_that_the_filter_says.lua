-- A label that is a text, because the filter says so.
-- caught: attempt to compare
-- told: the filter asks for the label 'status' as a text, "500"

local ctx = hastur.trigger{}
ctx:counters({ labels = { status = "500", zone = true } }, function(msg)
  if msg.labels.status >= 500 then print(msg.labels.zone) end -- here
end)
