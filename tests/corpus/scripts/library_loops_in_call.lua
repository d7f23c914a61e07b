-- tries: a library function that never ends
-- verdict: instructions
-- text: more than 5000000 instructions in one call
-- script: lib/later.lua
local ctx = hastur.trigger{ state = { n = 0 } }
local later = require("lib.later")
ctx:gauges({ name = "hostile" }, function(msg)
  later()
end)
