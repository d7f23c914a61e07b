-- tries: remembers in a table of a library
-- verdict: raised
-- script: lib/memory.lua
local ctx = hastur.trigger{ state = { n = 0 } }
local memory = require "lib.memory"
ctx:gauges({ name = "hostile" }, function(msg) memory.add(msg.value) end)
