-- Two labels: one is the key, the other what is added.
-- caught: the value must be a number
-- told: the label 'v'
local ctx = hastur.trigger{}
local L = ctx:window("l", { span = "5m" })
ctx:gauges({ name = "x", labels = { k = { "a", "b" } } }, function(msg) L:add(msg.labels.k, msg.labels.v) end)  -- here
