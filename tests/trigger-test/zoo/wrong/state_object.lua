-- An object with methods in the state.
-- caught: has a metatable
-- told: keep plain tables

local ctx = hastur.trigger{ state = { hosts = {} } }
local Host = {}
Host.__index = Host
function Host:is_high() return self.load > 5 end
ctx:gauges({ name = "load" }, function(msg)
  local host = { load = msg.value }
  setmetatable(host, Host)
  ctx.state.hosts[msg.host] = host -- here
  if host:is_high() then print("high") end
end)
