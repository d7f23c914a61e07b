-- A field of the body that we know nothing of.

local ctx = hastur.trigger{}
ctx:events({ name = "upload" }, function(msg)
  if msg.duration > 5 then print("slow") end
end)
