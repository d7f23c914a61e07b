-- A test file is data: messages go in, what must come out is expected. Times count from the test's start.
local site = {}
for i = 1, 30 do site[i] = { type = "hb_agent", uuid = "u" .. i, at = "1s" } end

return {
  {
    name = "a host that falls silent is paged once, again each hour, and resolved when it is back",
    messages = {
      { type = "hb_agent", uuid = "u1", every = "5s", times = 6 }, -- the last at 25s
      { type = "hb_agent", uuid = "u1", at = "65m" },
    },
    expect = {
      { at = "35s", page = "no_heartbeat/u1", text = "no heartbeat for 10 s from u1" },
      { at = "3635s", page = "no_heartbeat/u1", text = "no heartbeat * (still, after 1h)" },
      { at = "3901s", resolve = "no_heartbeat/u1", text = "resolved after 1h4m: heartbeat is back" },
    },
    nothing_else = true,
  },
  {
    name = "if the whole site goes there is one page for all",
    messages = site,
    expect = { { at = "11s", page = "no_heartbeat", text = "30 no_heartbeat at once: *" } },
    ends = "1m",
    nothing_else = true,
  },
  {
    name = "what we could not hear is not held against them",
    messages = { { recording = "missing_heartbeat.deaf.jsonl" } }, -- heard at 0s, deaf from 5s to 45s
    expect = { { at = "50s", page = "no_heartbeat/*" } },
    nothing_else = true,
  },
}
