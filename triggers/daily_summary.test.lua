local function errors(class, times, at)
  return { type = "error", error = "it broke", class = class, uuid = "u1", at = at, every = "10s", times = times }
end
-- 1,100 kinds in as many seconds, and one that comes each 50 s.
local function many()
  local all = { { type = "error", error = "it broke", class = "Important", uuid = "u1", every = "50s", times = 31 } }
  for i = 1, 1100 do all[i + 1] = { type = "error", error = "it broke", class = "request " .. i, uuid = "u1", at = i } end
  return all
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
  {
    name = "of a long class the beginning is told, in one line and whole characters",
    start = "2024-01-01T07:00:00Z",
    messages = { errors("a\n" .. ("é"):rep(2000), 3, "1m"), errors(("x"):rep(2000), 1, "2m") },
    expect = {
      {
        at = "30m", notification = "send_email", text = "Errors until 2024-01-01: 2 kinds",
        details = { body = ("       3  a %s …\n       1  %s …"):format(("é"):rep(48), ("x"):rep(100)) },
      },
    },
    nothing_else = true,
  },
  {
    name = "of very many kinds the last thousand are told apart, and what is frequent stays on top",
    start = "2024-01-01T07:00:00Z",
    messages = many(),
    expect = {
      { at = "25m", state_bytes_max = 150000 },
      {
        at = "30m", notification = "send_email", text = "Errors until 2024-01-01: 1000 kinds",
        details = { body = "      31  Important\n*\n    1051  of other kinds" },
      },
      { state = { errors = 0 }, whole = true },
    },
    nothing_else = true,
  },
}
