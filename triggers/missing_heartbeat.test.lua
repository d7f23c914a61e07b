-- A test file is data: messages go in, what must come out is expected. Times count from the test's start.
return {
  {
    name = "a host that falls silent is paged once, and resolved when it is back",
    messages = {
      { type = "hb_agent", uuid = "u1", every = "5s", times = 6 }, -- the last at 25s
      { type = "hb_agent", uuid = "u1", at = "2m" },
    },
    expect = {
      { at = "55s", page = "no_heartbeat/u1", text = "No heartbeat for 30 s from u1", details = { uuid = "u1" } },
      { at = "2m", resolve = "no_heartbeat/u1" },
      { at = "1m", state = { hosts = { u1 = { paged = true } } } },
      { state = { hosts = { u1 = { paged = false } } } },
    },
    nothing_else = true,
  },
  {
    name = "hosts are told apart by their uuid and called by their name",
    messages = {
      { type = "reg_agent", uuid = "web", hostname = "web1" },
      { type = "hb_agent", uuid = "web", at = "1s" },
      { type = "hb_agent", uuid = "db", at = "1s", every = "10s", times = 12 },
    },
    expect = {
      { at = "31s", page = "no_heartbeat/web", text = "*from web1" },
    },
    nothing_else = true,
  },
  {
    name = "what nobody could hear is not held against a host",
    messages = {
      { recording = "missing_heartbeat.deaf.jsonl" },
    },
    expect = {
      { at = "70s", page = "no_heartbeat/*" },
    },
    nothing_else = true,
  },
}
