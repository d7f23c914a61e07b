local function deployed(at, version)
  return { type = "mark", name = "deployed", uuid = "u1", value = version or "v7", labels = { service = "api" }, at = at }
end
local function errors(at, times, text)
  return {
    type = "error", error = text or "boom", class = "Boom", uuid = "u1", labels = { service = "api" }, at = at, every = "10s", times = times,
  }
end

return {
  {
    name = "five exceptions after a deployment page",
    messages = { deployed("0s"), errors("1m", 6) },
    expect = {
      {
        at = "101s", page = "deployment/api", text = "api v7 fails since it was deployed: boom",
        details = { version = "v7", errors = 5 },
      },
      { between = { "31m", "32m" }, resolve = "deployment/api", text = "no data for 30m*" },
    },
    nothing_else = true,
  },
  {
    name = "of a long error whole characters are told",
    messages = { deployed("0s"), errors("1m", 5, ("é"):rep(300)) },
    expect = { { at = "101s", page = "deployment/api", text = "api v7 fails since it was deployed: ééé* …" } },
    ends = "2m",
    nothing_else = true,
  },
  {
    name = "four do not, and neither do those without a deployment or long after one",
    messages = { errors("0s", 9), deployed("5m"), errors("6m", 4), errors("16m", 9) },
    nothing_else = true,
  },
  {
    name = "a version that is a whole text does not fill the state",
    messages = { deployed("0s", ("v"):rep(400000)), errors("1m", 5) },
    expect = {
      { at = "30s", state_bytes_max = 700 },
      { at = "101s", page = "deployment/api", text = "api vvv* …*", details = { errors = 5 } },
    },
    ends = "2m",
    nothing_else = true,
  },
}
