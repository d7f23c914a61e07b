local function deployed(at, service, version)
  return { type = "mark", name = "deployed", uuid = "u1", value = version or "v7", labels = { service = service or "api" }, at = at }
end
local function errors(at, times, service)
  return {
    type = "error", error = "boom", uuid = "u1", labels = { service = service or "api" }, at = at, every = "10s", times = times,
  }
end

return {
  {
    name = "five errors after a deployment page, whatever the version is called",
    messages = { deployed("0s"), errors("1m", 6), deployed("0s", "web", ("v"):rep(9000)), errors("2m", 5, "web") },
    expect = {
      { at = "30s", state_bytes_max = 300 },
      { at = "101s", page = "deployment/api", text = "api v7 fails since it was deployed", details = { errors = 5 } },
      { at = "161s", page = "deployment/web", text = "web of now fails since it was deployed", details = { errors = 5 } },
    },
    ends = "3m",
    nothing_else = true,
  },
  {
    name = "four do not, and neither do those without a deployment or long after one",
    messages = { errors("0s", 9), deployed("5m"), errors("6m", 4), errors("16m", 9) },
    nothing_else = true,
  },
}
