local function busy(at, values, every)
  return { type = "gauge", name = "system.cpu.busy", uuid = "u1", at = at, every = every or "10s", values = values }
end
local function minute(value) return { value, value, value, value, value, value } end
local function published(at, value)
  return { at = at, message = "system.cpu.busy.minute", value = value, labels = { host = "u1" } }
end

return {
  {
    name = "a whole busy minute pages, a calm one resolves",
    messages = { busy("5s", minute(95)), busy("65s", minute(80)), busy("125s", minute(10)) },
    expect = {
      { at = "1m", page = "cpu_busy/u1", text = "u1 was 95 % busy for a minute", details = { average = 95 } },
      { at = "3m", resolve = "cpu_busy/u1", text = "resolved at 10 after 2m: *" },
      published("1m", 95), published("2m", 80), published("3m", 10),
    },
    nothing_else = true,
  },
  {
    name = "a short peak does not page",
    messages = { busy("5s", { 10, 10, 100, 100, 10, 10 }) },
    expect = { { page = "*", never = true }, published("1m", 40) },
    nothing_else = true,
  },
  {
    name = "a busy host that falls silent is resolved, and forgotten",
    messages = { busy("5s", minute(95)) },
    expect = {
      { at = "1m", page = "cpu_busy/u1" },
      { at = "16m", resolve = "cpu_busy/u1", text = "no data for 15m, *" },
      published("1m", 95),
      { at = "17m", state = {}, whole = true },
    },
    nothing_else = true,
  },
  {
    name = "a busy host that reports each five minutes pages once",
    messages = { busy("5s", { 97, 97, 97, 97 }, "5m") },
    expect = { { at = "1m", page = "cpu_busy/u1" }, published("1m", 97), published("6m", 97), published("11m", 97), published("16m", 97) },
    ends = "17m",
    nothing_else = true,
  },
  {
    name = "a busy host is not resolved when we are deaf, nor when it reports each minute and then",
    messages = {
      busy("5s", minute(95)),
      { type = "tick", at = "6m40s", deaf = "5m30s" }, -- from 1m10s on
      busy("6m45s", { 95, 95, 95 }, "1m"),
    },
    expect = { { at = "1m", page = "cpu_busy/u1" }, published("1m", 95), published("7m", 95), published("8m", 95), published("9m", 95) },
    ends = "9m30s",
    nothing_else = true,
  },
}
