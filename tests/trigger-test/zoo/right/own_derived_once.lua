-- It receives what it derives, and leaves that alone.

local ctx = hastur.trigger{}
ctx:gauges({ name = "load.*", own = true, none_of = { name = "load.smooth" } }, function(msg)
  hastur.gauge("load.smooth", msg.value / 2)
end)
