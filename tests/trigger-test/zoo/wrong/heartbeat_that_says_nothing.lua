-- A filter that takes only what has no value.
-- caught: attempt to concatenate field 'value'
-- told: need not have the field 'value'
local ctx = hastur.trigger{}
ctx:process_heartbeats({ value = false }, function(msg)
  slack(msg.name .. " is " .. msg.value) -- here
end)
