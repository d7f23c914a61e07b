-- A complete test file. It is data: a list of tests (one test alone needs no list).
return {
  {
    name = "a long queue pages once and is resolved when it is short",

    -- What comes in. A message has the fields that it has in JSON; `at` counts from the start of the test.
    messages = {
      { type = "gauge", name = "shop.queue", uuid = "u1", values = { 50, 101, 150, 20, 5 }, every = "10s" },
    },

    -- What must come out. A text may have * for any run of characters; a field that is not named may be anything.
    expect = {
      { at = "10s", page = "queue/u1", text = "101 waiting", details = { waiting = 101 } },
      { at = "40s", resolve = "queue/u1" },
      { at = "1m", message = "shop.queue.length", type = "gauge", value = 5 },
      { at = "20s", state = { paged = true } },      -- in the middle
      { state = { length = 5, paged = false } },     -- at the end
    },

    -- No other notification, derived message or log line.
    nothing_else = true,
  },
  {
    name = "a short queue is left alone",
    messages = { { type = "gauge", name = "shop.queue", value = 9, every = "20s", times = 6 } },
    expect = {
      { page = "*", never = true },
      { at = "1m", every = "1m", times = 3, message = "shop.queue.length", value = 9 },
    },
  },
  {
    name = "a text that is no number does not come as a gauge",
    messages = { { recording = "queue.jsonl", at = "5s" } },
    expect = { { between = { "5s", "10s" }, page = "queue/shop1" } },
    ends = "30s",
    nothing_else = true,
  },
}
