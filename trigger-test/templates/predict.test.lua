local function disk(first, step, times)
  local values = {}
  for i = 1, times do values[i] = first + step * i end
  return {
    type = "gauge", name = "system.disk.used_percent", uuid = "u1", labels = { mount = "/" }, every = "1m", times = times,
    values = values,
  }
end

return {
  {
    name = "a disk that gains 10 percent in 30 minutes pages before it is full",
    messages = { disk(40, 1 / 3, 60) },
    expect = { { between = { "30m", "45m" }, page = "full/u1/", text = "u1/ will be full within 4 hours" } },
    ends = "60m",
    nothing_else = true,
  },
  {
    name = "a disk that stays as it is says nothing",
    messages = { disk(90, 0, 60) },
    ends = "60m",
    nothing_else = true,
  },
}
