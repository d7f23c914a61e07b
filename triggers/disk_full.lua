-- A disk that will be full in four hours, as it has grown of late: page while there is time to do something.
--
-- A disk that has stood at 97 % for a year wakes nobody; one at 60 % that grows by a tenth each hour does. What grows is
-- the lowest value: a big file on its way through does not lift it, one that stays lifts it once. So it must have risen
-- lately and, by a percent or more, in the three times as long before, be that a quarter of an hour, a half or a whole one.
-- The reports of ten minutes must say so: a host that said it once and fell silent is let be. A disk that is full pages at
-- once, and twice a day. One that has stopped growing is resolved in one to two hours, wherever it stands.
local ctx   = hastur.trigger{ state_bytes_max = "64MiB" } -- a disk takes two KiB
local used  = ctx:window("used", { span = "4h", slot = "5m" })
local disks = ctx:keyed("disks", { forget = "4h" }) -- since when they say so
local full  = ctx:alert("disk_full", { clear_after = "1h", again = "12h", stale = "3h" })

local function growth_per_hour(disk, value)
  local most = 0
  for _, late in ipairs{ 15, 30, 60 } do -- minutes
    local low = used:min(disk, late .. "m")
    local rise = low and low - used:min(disk, late * 4 .. "m") or 0
    if rise >= 1 then most = math.max(most, math.min((value - low) / late, rise / late / 3) * 60) end
  end
  return most
end

ctx:gauges({ name = "system.disk.used_percent", labels = { mount = true } }, function(msg)
  local name, now = msg.host .. ":" .. msg.labels.mount, hastur.now()
  used:add(name, msg.value)
  local growth, disk = growth_per_hour(name, msg.value), disks:at(name)
  local is_new = msg.value >= used:max(name, "4h") - 0.5 -- a log that is rotated each hour has been there before
  disk.since = is_new and msg.value + 4 * growth >= 100 and (disk.since or now) or nil
  full:set(name, msg.value >= 100 or now - (disk.since or now) >= hastur.us("10m"),
    ("%s is %.0f %% full and gains %.1f %% an hour"):format(name, msg.value, growth))
end)
