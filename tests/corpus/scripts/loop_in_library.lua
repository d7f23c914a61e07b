-- tries: a library that never ends
-- verdict: refused
-- text: more than 5000000 instructions in one call
-- script: lib/spin.lua
local ctx = hastur.trigger{}
local spin = require "lib.spin"
ctx:gauges({ name = "hostile" }, function(msg) spin() end)
