-- Hidden behind what a label says.
-- caught: state.last is a function

local ctx = hastur.trigger{ state = {} }
ctx:gauges({ name = "load" }, function(msg)
  local env = msg.labels.env
  if env == "prod" and msg.labels["tier"] == "db" then
    ctx.state.last = function() return msg.value end -- here
  end
end)
