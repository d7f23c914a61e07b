-- The last 5,000 ids: a list says which goes next, a set which are there.
local ctx = hastur.trigger{ state = { order = {}, set = {} } }
ctx:logs({ subject = "app" }, function(msg)
  local s, k = ctx.state, tostring(msg.timestamp)
  if s.set[k] then return end
  s.set[k] = true
  s.order[#s.order + 1] = k
  if #s.order > 5000 then s.set[table.remove(s.order, 1)] = nil end
end)
