-- The function is never called.
-- caught: nothing of it ever runs
-- told: ctx:every
local ctx = hastur.trigger{ state = { n = 0 } }
local function on_gauge(msg) ctx.state.n = ctx.state.n + 1 end
