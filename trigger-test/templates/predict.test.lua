local function disk(uuid, values, every)
  return { type = "gauge", name = "system.disk.used_percent", uuid = uuid, labels = { mount = "/" }, every = every or "1m", values = values }
end
-- From 40 % on, so much more with each report, until it stands still.
local function growing(step, reports, standing)
  local values = {}
  for i = 1, reports + (standing or 0) do values[i] = 40 + step * math.min(i, reports) end
  return values
end
local still = {}
for i = 1, 60 do still[i] = 90 end

return {
  {
    name = "a disk that gains 10 percent in 30 minutes pages, seldom as it may report, and is resolved when it gains no more",
    messages = { disk("u1", growing(1 / 3, 60, 70)), disk("u2", growing(5, 6), "15m") },
    expect = {
      { between = { "30m", "45m" }, page = "full/u1:/", text = "u1:/ will be full within 4 hours" },
      { between = { "30m", "1h1m" }, page = "full/u2:/" },
      { between = { "80m", "130m" }, resolve = "full/u1:/", text = "resolved after *" },
    },
    ends = "130m",
    nothing_else = true,
  },
  {
    name = "a disk that stays as it is says nothing, nor does a host that said it once and fell silent",
    messages = { disk("u1", still), disk("u2", growing(1 / 3, 32)) }, -- its last is the first that knows half an hour
    ends = "60m",
    nothing_else = true,
  },
}
