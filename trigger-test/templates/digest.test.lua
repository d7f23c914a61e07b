local function errors(class, times)
  return { type = "error", error = "it broke", class = class, uuid = "u1", at = "1h", every = "10s", times = times }
end

return {
  {
    name = "the mail comes at half past seven",
    messages = { errors("DiskFull", 2), errors("Timeout", 5) },
    expect = { { at = "7h30m", notification = "send_email", text = "Errors until 2024-01-01: 2 kinds" } },
    nothing_else = true,
  },
  {
    name = "a day without errors says so",
    messages = { { type = "gauge", name = "anything", value = 1 } },
    expect = { { at = "7h30m", notification = "send_email", text = "Errors until 2024-01-01: 0 kinds" } },
    nothing_else = true,
  },
}
