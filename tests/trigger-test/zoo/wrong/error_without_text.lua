-- An error message need not say what the error was.
-- caught: (a nil value)
-- told: the field 'error'

local ctx = hastur.trigger{}
ctx:errors({}, function(msg)
  if msg.error:find("timeout") then hastur.counter("timeouts") end -- here
end)
