-- An error that pcall catches.

local ctx = hastur.trigger{ state = { refused = 0 } }
ctx:infos({ type = "info_process" }, function(msg)
  local ok, version = pcall(function() return msg.data.shop.version.major end)
  if not ok then ctx.state.refused = ctx.state.refused + 1 else print(version) end
end)
