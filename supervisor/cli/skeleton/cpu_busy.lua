-- A host whose CPU stays too busy: page when it is over 90 % for a minute, resolve when it is under 80 %.
--
-- Between the two nothing changes, so a host that dances around 90 is one page.
local words = require "lib.words"

local ctx  = hastur.trigger()
local high = ctx:alert("high", { raise = { above = 90 }, clear = { below = 80 }, raise_after = "1m", stale = "10m" })

ctx:gauges({ name = "system.cpu.busy" }, function(msg)
  high:set(msg.host, msg.value, words.busy(msg.host, msg.value), { value = msg.value })
end)
