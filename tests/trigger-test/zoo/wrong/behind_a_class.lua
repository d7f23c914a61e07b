-- Hidden behind the class of an error.
-- caught: state.last is a function

local ctx = hastur.trigger{ state = {} }
ctx:errors({}, function(msg)
  local class = msg.class
  if "Timeout::Error" == class then ctx.state.last = print end -- here
end)
