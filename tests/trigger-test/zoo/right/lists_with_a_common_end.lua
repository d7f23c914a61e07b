-- Lists of hosts that have so many entries together.
local ctx = hastur.trigger{ state = { by = {}, n = 0 } }
ctx:errors({}, function(msg)
  local s = ctx.state
  local l = s.by[msg.host] or {}
  s.by[msg.host] = l
  l[#l + 1] = hastur.now()
  s.n = s.n + 1
  if s.n > 3000 then
    local most
    for host, list in pairs(s.by) do if not most or #list > #s.by[most] then most = host end end
    table.remove(s.by[most], 1)
    s.n = s.n - 1
  end
end)
