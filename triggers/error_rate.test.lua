local function requests(at, status, count, times)
  return { type = "counter", name = "http.requests", uuid = "u1", at = at, value = count, every = "10s", times = times,
    labels = { service = "api", status = status } }
end

return {
  {
    name = "over ten percent pages, between five and ten nothing changes, under five resolves",
    messages = {
      requests("1s", 200, 100, 90),
      requests("2s", 500, 20, 30),  -- 17 % until 5 min
      requests("302s", 500, 8, 30), -- down to 7 %
    },
    expect = {
      { at = "10s", page = "rate/api", text = "api: 17 % errors" },
      { between = { "10m", "15m" }, resolve = "rate/api", text = "resolved at 0.04* after *" },
    },
    nothing_else = true,
  },
  {
    name = "a counter that is set right downwards counts nothing",
    messages = { requests("1s", 200, 30, 3), requests("2s", 500, 60, 1), requests("3s", 500, -60, 1) },
    expect = { { at = "10s", page = "rate/api", text = "api: 67 % errors" } },
    ends = "15s",
    nothing_else = true,
  },
  {
    name = "a few requests say nothing",
    messages = { requests("1s", 500, 1, 4) },
    ends = "1m",
    nothing_else = true,
  },
  {
    name = "a page about few requests ends when they succeed, not for want of data",
    messages = { requests("1s", 500, 60, 1), requests("31s", 500, 1, 60), requests("631s", 200, 1, 60) },
    expect = {
      { at = "10s", page = "rate/api" },
      { between = { "15m", "16m" }, resolve = "rate/api", text = "resolved at 0.0*" },
    },
    nothing_else = true,
  },
  {
    name = "a service that is heard no more is resolved for want of data",
    messages = { requests("1s", 500, 60, 1) },
    expect = {
      { at = "10s", page = "rate/api" },
      { between = { "9m", "11m" }, resolve = "rate/api", text = "no data for 5m*" },
    },
    nothing_else = true,
  },
}
