local function used(values)
  return { type = "gauge", name = "system.disk.used_percent", uuid = "u1", labels = { mount = "/" }, every = "6m", values = values }
end
-- From 50 %, ten percent an hour, for so many reports; and then nothing more, for so many.
local function growing(reports, standing)
  local values = {}
  for i = 1, reports + (standing or 0) do values[i] = 49 + math.min(i, reports) end
  return values
end
local still = {}
for i = 1, 36 do still[i] = 97 end

return {
  {
    name = "a disk that grows pages while there is time",
    messages = { used(growing(36)) },
    expect = { { between = { "3h20m", "3h30m" }, page = "disk_full/u1:/", text = "u1:/ is 8* % full, in 4 hours 100 %" } },
    ends = "3h40m",
    nothing_else = true,
  },
  {
    name = "a disk that is nearly full and stays so wakes nobody",
    messages = { used(still) },
    nothing_else = true,
  },
  {
    name = "a host that said so once and fell silent wakes nobody",
    messages = { used(growing(31)) }, -- the last of them is the first that goes back over three hours
    ends = "3h30m",
    nothing_else = true,
  },
  {
    name = "a disk that has stopped growing is resolved, wherever it stands",
    messages = { used(growing(48, 66)) }, -- 97 % from 4h42m on
    expect = {
      { between = { "3h20m", "3h30m" }, page = "disk_full/u1:/" },
      { between = { "8h", "11h" }, resolve = "disk_full/u1:/", text = "resolved at 9*: u1:/ is 97 % full, in 4 hours 9* %" },
    },
    nothing_else = true,
  },
}
