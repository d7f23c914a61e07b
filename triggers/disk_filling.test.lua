local function used(at, percent, mount)
  return { type = "gauge", name = "system.disk.used_percent", uuid = "u1", at = at, value = percent, labels = { mount = mount or "/" } }
end

return {
  {
    name = "a disk on the edge is one warning and is resolved when it has room again",
    messages = { used("0s", 89.9), used("10s", 90), used("20s", 95), used("30s", 86), used("40s", 91), used("50s", 84) },
    expect = {
      { at = "11s", page = "disk_filling/u1:/", text = "/ on u1 is 90 % full", details = { used_percent = 90 }, severity = "warning" },
      { at = "51s", resolve = "disk_filling/u1:/", text = "resolved at 84 after 40s: / on u1 is 84 % full" },
    },
    nothing_else = true,
  },
  {
    name = "each file system has an incident of its own",
    messages = { used("0s", 95), used("1s", 96, "/var"), used("2s", 20) },
    expect = {
      { at = "1s", page = "disk_filling/u1:/" },
      { at = "2s", page = "disk_filling/u1:/var" },
      { at = "3s", resolve = "disk_filling/u1:/" },
    },
    ends = "1m",
    nothing_else = true,
  },
  {
    name = "a host that is gone takes its incident with it",
    messages = { used("0s", 95) },
    expect = {
      { at = "1s", page = "disk_filling/u1:/" },
      { between = { "6h", "6h1m" }, resolve = "disk_filling/u1:/", text = "no data for 6h*" },
      { at = "6h1m", state = {}, whole = true },
    },
    nothing_else = true,
  },
}
