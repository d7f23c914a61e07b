-- Shards 0 to 3: the ends of a range that something is looked up by are whole, and so is the label.
local ctx = hastur.trigger{}
local names = { "a", "b", "c", "d" }
ctx:gauges({ name = "shard.lag", labels = { shard = { at_least = 0, at_most = 3 } } }, function(msg)
  hastur.gauge("lag." .. names[msg.labels.shard + 1], msg.value)
end)
