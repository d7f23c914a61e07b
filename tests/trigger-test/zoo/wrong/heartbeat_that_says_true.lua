-- caught: attempt to concatenate field 'value' (a boolean value)
-- told: the value of a heartbeat may be
local ctx = hastur.trigger{}
ctx:hb_processes({ name = "db" }, function(msg)
  if type(msg.value) == "number" or msg.value == nil or msg.value == hastur.null then return end
  slack("it says " .. msg.value) -- here
end)
