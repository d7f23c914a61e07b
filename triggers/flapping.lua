-- A service that is down: page, resolve when it is up. One that goes up and down and up again: say that it flaps, once,
-- and be quiet until it has kept still for ten minutes. Nobody mends a thing faster for being woken six times.
--
-- One that vanished while it was down is paged for a day, not for ever: it was moved, or its host was taken away.
local ctx   = hastur.trigger{ state_bytes_max = "16MiB" }
local alert = ctx:alert("service", { raise = "down", flap = { changes = 6, span = "10m" }, again = "4h", stale = "1d" })

ctx:marks({ name = "service.state", value = { "up", "down" }, labels = { service = true } }, function(msg)
  local service = msg.labels.service .. "@" .. msg.host
  alert:set(service, msg.value, service .. " is " .. msg.value)
end)
