local function load(host, value, at, every, times)
  return { type = "gauge", name = "system.load.1m", uuid = host, value = value, at = at, every = every, times = times }
end

return {{
  name = "a host that reports more often weighs no more, and a dead one drops out",
  messages = { load("u1", 2, "5s", "10s", 12), load("u2", 4, "6s", "1s", 50) },
  expect = {
    { at = "1m", message = "cluster.load.average", type = "gauge", value = 3, labels = { hosts = 2 } },
    { at = "2m", message = "cluster.load.average", value = 2, labels = { hosts = 1 } },
  },
  ends = "4m",
  nothing_else = true,
}, {
  name = "a host that reports from cron, at the full minute, is counted in each",
  messages = { load("u1", 8, "300ms", "1m", 3), load("u2", 2, "5s", "10s", 18) },
  expect = {
    { at = "1m", message = "cluster.load.average", value = 5, labels = { hosts = 2 } },
    { at = "2m", message = "cluster.load.average", value = 5, labels = { hosts = 2 } },
    { at = "3m", message = "cluster.load.average", value = 5, labels = { hosts = 2 } },
  },
  nothing_else = true,
}}
