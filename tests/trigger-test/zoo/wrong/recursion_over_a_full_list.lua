-- A function calls itself for each of up to 8,000 entries.
-- caught: stack overflow
-- told: walk it with a loop
local ctx = hastur.trigger{ state = { v = {} } }
local function sum(l, i) if i > #l then return 0 end return l[i] + sum(l, i + 1) end  -- here
ctx:gauges({ name = "ms" }, function(msg)
  local v = ctx.state.v
  v[#v + 1] = msg.value
  if #v > 8000 then table.remove(v, 1) end
  ctx.state.sum = sum(v, 1)
end)
