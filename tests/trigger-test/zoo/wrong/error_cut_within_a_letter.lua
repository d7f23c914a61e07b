-- The first hundred bytes of a text may end within a letter.
-- caught: not UTF-8
-- told: keep no cut-off
local ctx = hastur.trigger{ state = { last = {} } }
ctx:errors({}, function(msg)
  ctx.state.last[msg.host] = tostring(msg.error):sub(1, 100)  -- here
end)
