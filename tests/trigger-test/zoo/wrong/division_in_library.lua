-- caught: state.ratio is
-- told: look at the divisor at lib/ratio.lua:4
local ratio = require "lib.ratio"
local ctx = hastur.trigger{ state = { ratio = 0, failed = 0, all = 0 } }
ctx:counters({ name = "failed" }, function() ctx.state.failed = ctx.state.failed + 1 end)
ctx:counters({ name = "all" }, function() ctx.state.all = ctx.state.all + 1 end)
ctx:every("minute", function()
  ctx.state.ratio = ratio.of(ctx.state.failed, ctx.state.all) -- here
  ctx.state.failed, ctx.state.all = 0, 0
end)
