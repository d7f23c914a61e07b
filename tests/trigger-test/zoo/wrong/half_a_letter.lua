-- A text that is cut within a letter.
-- caught: is a string that is not UTF-8
-- told: keep no cut-off or binary texts

local ctx = hastur.trigger{ state = {} }
ctx:marks({ name = "city", value = true }, function(msg)
  if msg.value == hastur.null then return end
  ctx.state.initial = msg.value:sub(1, 2) -- here
end)
