local function requests(at, status, count, times)
  return {
    type = "counter", name = "http.requests", uuid = "u1", at = at, value = count, every = "10s", times = times,
    labels = { service = "api", status = status },
  }
end

return {
  {
    name = "over ten percent pages, under five resolves",
    messages = { requests("1s", 200, 100, 90), requests("2s", 503, 20, 30) }, -- 17 % until 5 min
    expect = {
      { at = "10s", page = "rate/api", text = "api: 17 % of requests fail" },
      { between = { "6m", "11m" }, resolve = "rate/api" },
    },
    nothing_else = true,
  },
  {
    name = "a few requests say nothing",
    messages = { requests("1s", 503, 1, 4) },
    ends = "1m",
    nothing_else = true,
  },
}
