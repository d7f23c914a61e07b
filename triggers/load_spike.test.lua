return {
  {
    name = "a spike pages with the load, the host and the message",
    messages = {
      {
        type = "gauge", name = "ots.transcoding.load", uuid = "u1", labels = { send_to = "load_tester" },
        every = "10s", values = { 3, 11.5, 10 },
      },
    },
    expect = {
      {
        at = "10s", page = "Monitoring-load-spiking-u1", text = "The load has spiked to 11.5 on host u1",
        details = { load = 11.5, uuid = "u1", message = { name = "ots.transcoding.load", value = 11.5 } },
      },
      { at = "1m", message = "ots.transcoding.load.spikes", type = "gauge", value = 1 },
      { state = { total = 1 }, whole = true },
    },
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
