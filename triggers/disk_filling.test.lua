local function used(at, percent, mount)
  return { type = "gauge", name = "system.disk.used_percent", uuid = "u1", at = at, value = percent, labels = { mount = mount or "/" } }
end

return {
  {
    name = "a disk on the edge pages once and is resolved when it has room again",
    messages = { used("0s", 89.9), used("10s", 90), used("20s", 95), used("30s", 86), used("40s", 91), used("50s", 84) },
    expect = {
      { at = "10s", page = "disk_filling/u1/", text = "/ on u1 is 90 % full", details = { mount = "/", used_percent = 90 } },
      { at = "50s", resolve = "disk_filling/u1/", text = "/ on u1 has room again: 84 %" },
    },
    nothing_else = true,
  },
  {
    name = "each file system has an incident of its own",
    messages = { used("0s", 95), used("1s", 96, "/var"), used("2s", 20) },
    expect = {
      { at = "0s", page = "disk_filling/u1/" },
      { at = "1s", page = "disk_filling/u1/var" },
      { at = "2s", resolve = "disk_filling/u1/" },
      { state = { full = { ["u1/var"] = true } }, whole = true },
    },
    nothing_else = true,
  },
}
