return {
  {
    name = "a whole busy minute pages, a calm one resolves",
    messages = {
      { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "5s", every = "10s", times = 6, value = 95 },
      { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "65s", every = "10s", times = 6, value = 80 },
      { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "125s", every = "10s", times = 6, value = 10 },
    },
    expect = {
      { at = "1m", page = "cpu_busy/u1", details = { average = 95 } },
      { at = "3m", resolve = "cpu_busy/u1", text = "u1 has calmed down: 10 %" },
      { at = "1m", message = "system.cpu.busy.minute", value = 95, labels = { host = "u1" } },
      { at = "2m", message = "system.cpu.busy.minute", value = 80 },
      { at = "3m", message = "system.cpu.busy.minute", value = 10 },
    },
    nothing_else = true,
  },
  {
    name = "a short peak does not page",
    messages = {
      { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "5s", every = "10s", values = { 10, 10, 100, 100, 10, 10 } },
    },
    expect = {
      { page = "*", never = true },
      { at = "1m", message = "system.cpu.busy.minute", value = 40 },
    },
    nothing_else = true,
  },
  {
    name = "a busy host that falls silent is resolved",
    messages = { { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "5s", every = "10s", times = 6, value = 95 } },
    expect = {
      { at = "1m", page = "cpu_busy/u1" },
      { at = "2m", resolve = "cpu_busy/u1", text = "u1 has not reported for a minute" },
      { at = "1m", message = "system.cpu.busy.minute", value = 95 },
      { at = "2m", state = { hosts = {} }, whole = true },
    },
    nothing_else = true,
  },
  {
    name = "a silent host is forgotten",
    messages = { { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = "5s", value = 10 } },
    expect = {
      { at = "1m", message = "system.cpu.busy.minute", value = 10 },
      { at = "90s", state = { hosts = { u1 = { count = 0 } } } },
      { at = "2m", state = { hosts = {} }, whole = true },
    },
    nothing_else = true,
  },
}
