-- What is decoded may be no UTF-8.
-- caught: not UTF-8
-- told: keep no cut-off
local ctx = hastur.trigger{ state = {} }
ctx:logs({ subject = "nginx" }, function(msg)
  if type(msg.data) ~= "string" then return end
  ctx.state.path = msg.data:gsub("%%(%x%x)", function(h) return string.char(tonumber(h, 16)) end):sub(1, 80)  -- here
end)
