-- A name that does not exist.
-- caught: attempt to index global 'mesage'
-- told: there is no global 'mesage'

local ctx = hastur.trigger{}
ctx:marks({ name = "deploy" }, function(msg)
  if msg.value == "failed" then
    print("failed on " .. mesage.host) -- here
  end
end)
