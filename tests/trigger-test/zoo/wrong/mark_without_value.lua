-- A mark whose value is null.
-- caught: attempt to concatenate field 'value'
-- told: msg.value ~= hastur.null

local ctx = hastur.trigger{}
ctx:marks({ name = "deployed" }, function(msg)
  slack("deployed " .. msg.value) -- here
end)
