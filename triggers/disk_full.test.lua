local function used(values)
  return { type = "gauge", name = "system.disk.used_percent", uuid = "u1", labels = { mount = "/" }, every = "6m", values = values }
end

local growing, still = {}, {}
for i = 1, 36 do growing[i], still[i] = 49 + i, 97 end -- ten percent an hour; nothing

return {
  {
    name = "a disk that grows pages while there is time",
    messages = { used(growing) },
    expect = { { between = { "3h10m", "3h20m" }, page = "disk_full/u1:/", text = "u1:/ is 8* % full, in 4 hours 100 %" } },
    nothing_else = true,
  },
  {
    name = "a disk that is nearly full and stays so wakes nobody",
    messages = { used(still) },
    nothing_else = true,
  },
}
