-- How long it waits stands in no text of the script.
-- caught: attempt to index field 'weekly' (a nil value)

local ctx = hastur.trigger{}
ctx:every((24 * 3) .. "h", function(tick)
  hastur.gauge("weekly", ctx.state.weekly.sum) -- here
end)
