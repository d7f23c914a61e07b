-- tries: a library that requires itself
-- verdict: refused
-- text: lib.ring requires itself
-- script: lib/ring.lua
local ctx = hastur.trigger{}
local ring = require "lib.ring"
ctx:gauges({ name = "hostile" }, function(msg) end)
