-- A list that forgets what is an hour old.

local ctx = hastur.trigger{ state = { seen = {} } }
ctx:events({ name = "deploy" }, function(msg)
  local seen, kept = ctx.state.seen, {}
  for _, at in ipairs(seen) do
    if hastur.now() - at < hastur.us("1h") then kept[#kept + 1] = at end
  end
  kept[#kept + 1] = hastur.now()
  ctx.state.seen = kept
end)
