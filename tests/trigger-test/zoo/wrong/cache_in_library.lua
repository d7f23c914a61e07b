-- A library that remembers.
-- caught: was made while the script was loaded
-- told: must be in ctx.state
-- in: lib/remember.lua

local ctx = hastur.trigger{}
local remember = require "lib.remember"
ctx:gauges({ name = "load" }, function(msg) remember.last(msg.host, msg.value) end)
