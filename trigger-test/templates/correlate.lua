-- Two things that matter together: five errors of a service within ten minutes after it was deployed.
local ctx      = hastur.trigger()
local deployed = ctx:keyed("deployed", { forget = "10m" })
local broken   = ctx:alert("deployment", { stale = "30m" })

ctx:marks({ name = "deployed", labels = { service = true } }, function(msg)
  local version = tostring(msg.value)
  deployed:swap(msg.labels.service, { version = #version <= 100 and version or "of now", errors = 0 })
end)

ctx:errors({ labels = { service = true } }, function(msg)
  local service = msg.labels.service
  local last = deployed:peek(service) -- looks without touching: the ten minutes run from the deployment
  if not last then return end
  last.errors = last.errors + 1
  if last.errors >= 5 then
    broken:raise(service, ("%s %s fails since it was deployed"):format(service, last.version), { errors = last.errors })
  end
end)
