-- An object with methods that lives within a call.

local ctx = hastur.trigger{ state = { hosts = {} } }
local Host = {}
Host.__index = Host
function Host.of(data) return setmetatable({ data = data }, Host) end
function Host:add(value) self.data.sum = self.data.sum + value end
ctx:gauges({ name = "load" }, function(msg)
  local data = ctx.state.hosts[msg.host] or { sum = 0 }
  ctx.state.hosts[msg.host] = data
  Host.of(data):add(msg.value)
end)
