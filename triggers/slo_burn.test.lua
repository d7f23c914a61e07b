local function requests(at, status, count, times)
  return {
    type = "counter", name = "http.requests", uuid = "u1", labels = { service = "api", status = status }, value = count,
    at = at, every = "10s", times = times,
  }
end

return {
  {
    name = "two percent of errors burn twenty times too fast; it is over a quarter of an hour after five quiet minutes",
    messages = { requests("1s", 200, 980, 180), requests("2s", 500, 20, 30) },
    expect = {
      { at = "30s", page = "burn/api", text = "api burns its error budget: 20 times over an hour, 20 over five minutes" },
      { between = { "20m", "26m" }, resolve = "burn/api" },
    },
    nothing_else = true,
  },
  {
    name = "errors that stay away for ten minutes by chance do not end it",
    messages = {
      requests("1s", 200, 10, 360),
      requests("2s", 500, 8, 6), requests("10m2s", 500, 8, 6), requests("20m2s", 500, 8, 6),
      requests("30m2s", 500, 8, 6), requests("40m2s", 500, 8, 6), requests("50m2s", 500, 8, 6),
    },
    expect = { { between = { "30s", "10m" }, page = "burn/api" } },
    nothing_else = true,
  },
  {
    name = "a bad minute in a good hour is no page",
    messages = { requests("1s", 200, 1000, 300), requests("30m", 500, 20, 6) },
    nothing_else = true,
  },
  {
    name = "an outage in which hardly anybody asks any more is not over for want of requests",
    messages = { requests("1s", 500, 20, 3), requests("2m", 500, 1, 1), requests("14m", 500, 1, 1), requests("28m", 500, 1, 1),
      requests("42m", 500, 1, 1), requests("65m", 500, 1, 1), requests("80m", 500, 1, 1) },
    expect = { { at = "30s", page = "burn/api" } },
    ends = "90m",
    nothing_else = true,
  },
  {
    name = "a service that nobody asks any more is resolved for want of requests",
    messages = { requests("1s", 500, 20, 3) },
    expect = { { at = "30s", page = "burn/api" }, { between = { "1h", "1h10m" }, resolve = "burn/api", text = "no data for 1h*" } },
    nothing_else = true,
  },
  {
    name = "two failures of a hundred requests wake nobody",
    messages = { requests("1s", 200, 9, 11), requests("1m", 500, 2, 1) },
    ends = "10m",
    nothing_else = true,
  },
}
