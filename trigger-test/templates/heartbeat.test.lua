local site = {}
for i = 1, 30 do site[i] = { type = "hb_agent", uuid = "u" .. i, at = "1s" } end

return {
  {
    name = "a host that falls silent is paged once, and resolved when it is back",
    messages = {
      { type = "hb_agent", uuid = "u1" }, -- before it has registered
      { type = "hb_agent", uuid = "u1", hostname = "web1", at = "10s", every = "10s", times = 3 }, -- the last at 30s
      { type = "hb_agent", uuid = "u1", at = "5m" },
    },
    expect = {
      { at = "1m", page = "no_heartbeat/u1", text = "no heartbeat for 30 s from web1" },
      { between = { "5m", "5m2s" }, resolve = "no_heartbeat/u1", text = "*heartbeat is back" },
    },
    ends = "5m5s",
    nothing_else = true,
  },
  {
    name = "if the whole site goes there is one page for all",
    messages = site,
    expect = { { at = "31s", page = "no_heartbeat", text = "30 no_heartbeat at once: *" } },
    ends = "1m",
    nothing_else = true,
  },
}
