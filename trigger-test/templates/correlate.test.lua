local function deployed(at)
  return { type = "mark", name = "deployed", uuid = "u1", value = "v7", labels = { service = "api" }, at = at }
end
local function errors(at, times)
  return { type = "error", error = "boom", uuid = "u1", labels = { service = "api" }, at = at, every = "10s", times = times }
end

return {
  {
    name = "five errors after a deployment page",
    messages = { deployed("0s"), errors("1m", 6) },
    expect = { { at = "101s", page = "deployment/api", text = "api v7 fails since it was deployed", details = { errors = 5 } } },
    ends = "3m",
    nothing_else = true,
  },
  {
    name = "four do not, and neither do those without a deployment or long after one",
    messages = { errors("0s", 9), deployed("5m"), errors("6m", 4), errors("16m", 9) },
    nothing_else = true,
  },
}
