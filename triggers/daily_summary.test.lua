local function errors(class, times, at)
  return { type = "error", error = "it broke", class = class, uuid = "u1", at = at, every = "10s", times = times }
end

return {
  {
    name = "the mail comes at half past seven, the most frequent first",
    start = "2024-01-01T07:00:00Z",
    messages = { errors("DiskFull", 2, "1m"), errors("Timeout", 5, "1m") },
    expect = { { at = "30m", notification = "send_email", text = "Errors until 2024-01-01: 2 kinds" } },
    nothing_else = true,
  },
  {
    name = "an error whose class is no text counts with the others",
    start = "2024-01-01T07:00:00Z",
    messages = { errors("", 1, "1m"), errors(true, 1, "2m"), errors({ name = "x" }, 1, "3m"), errors("Timeout", 1, "4m") },
    expect = { { at = "30m", notification = "send_email", text = "Errors until 2024-01-01: 2 kinds" } },
    nothing_else = true,
  },
  {
    name = "a day without errors says so",
    start = "2024-01-01T07:29:00Z",
    expect = { { at = "1m", notification = "send_email", text = "Errors until 2024-01-01: 0 kinds" } },
    messages = { { type = "gauge", name = "anything", value = 1 } },
    nothing_else = true,
  },
  {
    name = "what failed right after a mail is in the next one",
    start = "2024-01-01T07:30:05Z",
    messages = { errors("Nightly", 6, "0s") },
    expect = { { at = "86395s", notification = "send_email", text = "Errors until 2024-01-02: 1 kinds" } },
    nothing_else = true,
  },
}
