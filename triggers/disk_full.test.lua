local function used(values, every)
  return { type = "gauge", name = "system.disk.used_percent", uuid = "u1", labels = { mount = "/" }, every = every or "5m", values = values }
end
-- Stretches of { reports, from, to }, each in even steps.
local function run(...)
  local values = {}
  for _, stretch in ipairs{ ... } do
    local reports, from, to = stretch[1], stretch[2], stretch[3] or stretch[2]
    for i = 1, reports do values[#values + 1] = from + (to - from) * i / reports end
  end
  return values
end

return {
  {
    name = "after hours in which it stood still, a disk that grows by a tenth an hour pages more than two hours before it is full",
    messages = { used(run({ 48, 60 }, { 24, 60, 80 })) }, -- stands for four hours
    expect = { { between = { "5h", "5h20m" }, page = "disk_full/u1:/", text = "u1:/ is 7* % full and gains * % an hour" } },
    nothing_else = true,
  },
  {
    name = "a disk that is full in two hours pages more than an hour before, also if it reports each half hour",
    messages = { used(run({ 8, 20 }, { 4, 20, 60 }), "30m") }, -- full after two hours more
    expect = { { between = { "4h30m", "5h40m" }, page = "disk_full/u1:/" } },
    nothing_else = true,
  },
  {
    name = "a disk that fills up within half an hour pages at the latest when it is full",
    messages = { used(run({ 12, 50 }, { 6, 50, 100 })) },
    expect = { { between = { "1h15m", "1h25m1s" }, page = "disk_full/u1:/" } },
    ends = "1h30m",
    nothing_else = true,
  },
  {
    name = "a disk that is nearly full and stays so, more or less, wakes nobody",
    messages = { used(run({ 10, 97 }, { 1, 97.8 }, { 3, 97 }, { 1, 96.5 }, { 2, 97.5 }, { 20, 97 })) },
    nothing_else = true,
  },
  {
    name = "a log that is rotated each hour wakes nobody, however full its disk gets by then",
    messages = { used(run({ 6, 92 }, { 12, 88, 92 }, { 12, 88, 92 }, { 12, 88, 92 })) },
    nothing_else = true,
  },
  {
    name = "a big file on its way through wakes nobody",
    messages = { used(run({ 12, 60 }, { 4, 60, 90 }, { 20, 60 })) },
    nothing_else = true,
  },
  {
    name = "a big file that stays wakes nobody",
    messages = { used(run({ 12, 60 }, { 60, 90 })) },
    nothing_else = true,
  },
  {
    name = "a host that said so once and fell silent wakes nobody",
    messages = { used(run({ 12, 60 }, { 7, 60, 71.7 })) }, -- the last of them is the first that says so
    ends = "5h",
    nothing_else = true,
  },
  {
    name = "a disk that has stopped growing is resolved, wherever it stands",
    messages = { used(run({ 12, 60 }, { 24, 60, 90 }, { 30, 90 })) }, -- stands still from 3h on
    expect = {
      { between = { "1h30m", "2h" }, page = "disk_full/u1:/" },
      { between = { "4h", "5h10m" }, resolve = "disk_full/u1:/", text = "resolved after *: u1:/ is 90 % full and gains 0.0 % an hour" },
    },
    nothing_else = true,
  },
  {
    name = "of a host that is gone nothing is left",
    messages = { used(run({ 12, 60 }, { 12, 60, 80 })) },
    expect = {
      { between = { "1h30m", "2h" }, page = "disk_full/u1:/" },
      { between = { "4h55m", "5h5m" }, resolve = "disk_full/u1:/", text = "no data for 3h*" },
      { at = "6h30m", state = {}, whole = true },
    },
    nothing_else = true,
  },
}
