local seconds = {}
for i = 1, 197 do seconds[i] = (i > 94 and i <= 100) and 2 or 0.2 end

return {
  {
    name = "six slow ones among the last hundred page, three resolve",
    messages = {
      { type = "gauge", name = "http.request.seconds", uuid = "u1", labels = { service = "api" }, every = "1s", values = seconds },
    },
    expect = {
      { at = "100s", page = "slow_requests/api", text = "api: 6 of 100 requests took over a second" },
      { at = "197s", resolve = "slow_requests/api", text = "resolved at 0.03 after 1m37s: api: 3 of 100 *" },
    },
    nothing_else = true,
  },
  {
    name = "fewer than a hundred requests say nothing",
    messages = {
      { type = "gauge", name = "http.request.seconds", uuid = "u1", labels = { service = "api" }, every = "1s", times = 99, value = 9 },
    },
    nothing_else = true,
  },
  {
    name = "a service that is heard no more is forgotten",
    messages = {
      { type = "gauge", name = "http.request.seconds", uuid = "u1", labels = { service = "job" }, every = "1s", times = 100, value = 9 },
    },
    expect = {
      { at = "100s", page = "slow_requests/job" },
      { between = { "6h", "6h2m" }, resolve = "slow_requests/job", text = "no data for 6h*" },
      { at = "6h2m", state_bytes_max = 100 },
    },
    ends = "6h3m",
    nothing_else = true,
  },
}
