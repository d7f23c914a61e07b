-- The same with a text.
-- caught: grows without end
-- told: keep sums instead of lists
local ctx = hastur.trigger{}
local hosts = ctx:keyed("hosts", { forget = "1d", new = { text = "" } })
ctx:errors({}, function(msg)
  local host = hosts:at(msg.host)
  host.text = host.text .. tostring(msg.class) .. "\n"  -- here
end)
