local function busy(at, value, times)
  return { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = at, value = value, every = "10s", times = times }
end

return {
  {
    name = "a host that stays over 90 for a minute pages once, and is resolved under 80",
    messages = { busy("0s", 95, 8), busy("80s", 85, 3), busy("110s", 70, 1) },
    expect = {
      { at = "1m", page = "high/u1", text = "u1 is 95 % busy", details = { value = 95 } },
      { between = { "110s", "112s" }, resolve = "high/u1" },
    },
    nothing_else = true,
  },
  {
    name = "a short spike says nothing",
    messages = { busy("0s", 95, 3), busy("30s", 50, 6) },
    nothing_else = true,
  },
}
