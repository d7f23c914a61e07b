-- Only events have attn.
-- caught: this filter takes nothing
-- told: attn
local ctx = hastur.trigger{}
ctx:gauges({ name = "x", attn = "ops" }, function(msg) slack("high") end)  -- here
