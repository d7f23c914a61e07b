-- Up to 5,000 lines at the end of a day.
-- caught: larger than 256 KiB
-- told: write the first few
local ctx = hastur.trigger{ state = { lines = {} } }
ctx:logs({ subject = "app" }, function(msg)
  local l = ctx.state.lines
  if #l < 5000 then l[#l + 1] = hastur.utc(msg.timestamp) .. " " .. msg.host .. " " .. ("-"):rep(60) end
end)
ctx:every("day", function()
  send_email("dev@example.com", "log", table.concat(ctx.state.lines, "\n"))  -- here
  ctx.state.lines = {}
end)
