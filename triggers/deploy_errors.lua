-- A deployment, and within ten minutes five exceptions of the same service: page whoever is still at the keyboard.
--
-- Without a deployment exceptions are someone else's rule; ten minutes after one they are, too.
local ctx      = hastur.trigger{ state_bytes_max = "16MiB" }

-- At most 500 bytes, and no part of a character.
local function short(text)
  if #text <= 500 then return text end
  return (text:sub(1, 500):gsub("[\192-\255][\128-\191]*$", "")) .. " …"
end

local deployed = ctx:keyed("deployed", { forget = "10m" })
local broken   = ctx:alert("deployment", { stale = "30m" })

ctx:marks({ name = "deployed", labels = { service = true } }, function(msg)
  deployed:swap(msg.labels.service, { version = short(tostring(msg.value)), errors = 0 })
end)

ctx:errors({ labels = { service = true } }, function(msg)
  local service = msg.labels.service
  local last = deployed:peek(service) -- looks without touching: the ten minutes run from the deployment
  if not last then return end
  last.errors = last.errors + 1
  -- Of several the first by the alphabet is shown: which of them came last decides nothing then.
  local what = short(tostring(msg.error or msg.class))
  if not last.shown or what < last.shown then last.shown = what end
  if last.errors >= 5 then
    broken:raise(service, ("%s %s fails since it was deployed: %s"):format(service, last.version, last.shown),
      { version = last.version, errors = last.errors })
  end
end)
