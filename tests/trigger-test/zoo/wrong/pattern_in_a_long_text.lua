-- caught: more than 5000000 instructions
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:logs({ subject = "app" }, function(msg)
  if type(msg.data) == "string" and msg.data:find("user=.-host=.-code=.-%d+$") then -- here
    ctx.state.n = ctx.state.n + 1
  end
end)
