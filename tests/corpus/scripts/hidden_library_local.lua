-- tries: remembers in a local of a library
-- verdict: refused
-- text: the local 'count' of the file is changed in a function
-- script: lib/counter.lua
local ctx = hastur.trigger{ state = { n = 0 } }
local counter = require "lib.counter"
ctx:gauges({ name = "hostile" }, function(msg) counter() end)
