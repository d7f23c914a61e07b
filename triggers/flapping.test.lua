local function states(values)
  return { type = "mark", name = "service.state", uuid = "u1", labels = { service = "api" }, every = "1m", values = values }
end

return {
  {
    name = "a service that is down pages, and is resolved when it is up",
    messages = { states{ "up", "down", "up" } },
    expect = {
      { at = "61s", page = "service/api@u1", text = "api@u1 is down" },
      { at = "121s", resolve = "service/api@u1" },
    },
    nothing_else = true,
  },
  {
    name = "the sixth change in ten minutes is the last page until it has kept still",
    messages = { states{ "down", "up", "down", "up", "down", "up", "down", "up" } },
    expect = {
      { at = "1s", page = "service/api@u1" },
      { at = "61s", resolve = "service/api@u1" },
      { at = "121s", page = "service/api@u1" },
      { at = "181s", resolve = "service/api@u1" },
      { at = "241s", page = "service/api@u1" },
      { at = "301s", page = "service/api@u1", text = "flapping, 6 changes in 10m: *" },
      { at = "17m", resolve = "service/api@u1" }, -- ten minutes after the last change
    },
    nothing_else = true,
  },
  {
    name = "a service that vanished while it was down is not paged for ever",
    messages = { states{ "down" } },
    expect = {
      { at = "1s", page = "service/api@u1" },
      { at = "14401s", every = "4h", times = 5, page = "service/api@u1", text = "api@u1 is down (still, after *" },
      { at = "1d", resolve = "service/api@u1", text = "no data for 1d*" },
    },
    ends = "30h",
    nothing_else = true,
  },
}
