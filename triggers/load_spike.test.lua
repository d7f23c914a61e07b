return {
  {
    name = "a spike pages once, dances around the threshold, and is resolved well under it",
    messages = {
      {
        type = "gauge", name = "ots.transcoding.load", uuid = "u1", labels = { send_to = "load_tester" },
        every = "10s", values = { 3, 11.5, 9, 12, 4 },
      },
    },
    expect = {
      {
        at = "11s", page = "spike/u1", text = "the load of u1 is 11.5",
        details = { message = { name = "ots.transcoding.load", value = 11.5 } },
      },
      { at = "41s", resolve = "spike/u1", text = "resolved at 4 after 30s: the load of u1 is 4.0" },
      { at = "1m", message = "ots.transcoding.load.spikes", type = "gauge", value = 1 },
    },
    nothing_else = true,
  },
  {
    name = "a message with very much in it is a page, too",
    messages = {
      {
        type = "gauge", name = "ots.transcoding.load", uuid = "u1", value = 11, at = "1s",
        labels = { send_to = "load_tester", why = ("x"):rep(40000) },
      },
    },
    expect = { { at = "2s", page = "spike/u1", details = { message = { value = 11 } } } },
    ends = "10s",
    nothing_else = true,
  },
  {
    name = "other hosts and other gauges are left alone",
    messages = {
      { type = "gauge", name = "ots.transcoding.load", value = 99, labels = { send_to = "nobody" } },
      { type = "gauge", name = "ots.load", value = 99, labels = { send_to = "load_tester" } },
    },
    ends = "30s",
    nothing_else = true,
  },
}
