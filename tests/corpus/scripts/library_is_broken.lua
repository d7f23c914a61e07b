-- tries: a library that is no Lua
-- verdict: refused
-- text: '=' expected near 'is'
-- script: lib/broken.lua
local ctx = hastur.trigger{}
local broken = require "lib.broken"
ctx:gauges({ name = "hostile" }, function(msg) end)
