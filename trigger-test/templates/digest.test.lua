local function errors(class, times, at)
  return { type = "error", error = "it broke", class = class, uuid = "u1", at = at or "1h", every = "10s", times = times }
end
-- 1,100 kinds in as many seconds, a class that is a whole text, and one that comes often.
local night = { errors("Timeout", 5), errors("a\n" .. ("é"):rep(2000), 3) }
for i = 1, 1100 do night[#night + 1] = errors("request " .. i, 1, i) end

return {
  {
    name = "the mail comes at half past seven: the most frequent first, of long classes the beginning, of very many a sum",
    messages = night,
    expect = {
      { at = "2h", state_bytes_max = 150000 },
      {
        at = "7h30m", notification = "send_email", text = "Errors until 2024-01-01: 1000 kinds",
        details = { body = ("       5  Timeout\n       3  a %s …\n       1  request *\n    1052  of other kinds"):format(("é"):rep(48)) },
      },
      { state = { errors = 0 }, whole = true },
    },
    nothing_else = true,
  },
  {
    name = "a day without errors says so",
    messages = { { type = "gauge", name = "anything", value = 1 } },
    expect = { { at = "7h30m", notification = "send_email", text = "Errors until 2024-01-01: 0 kinds" } },
    nothing_else = true,
  },
}
