-- A service that promises 99.9 %: page when it burns its error budget 14.4 times too fast, a month's in two days.
--
-- The last hour says that it matters, the last five minutes that it still goes on. Both must be over, so what is set is
-- the lower of the two. The page comes soon after a real outage began, but not for fewer than ten failures. It is over
-- when it has not been seen for a quarter of an hour: five minutes without an error happen by chance to a service with
-- few requests that fails on. In an outage there are few: what is open is followed down to the last of them.
local ctx    = hastur.trigger{ state_bytes_max = "16MiB" }
local budget = 0.001 -- 1 - 99.9 %
local bad    = ctx:window("bad", { span = "1h" })
local burn   = ctx:alert("burn", { raise = { above = 14.4 }, clear = { below = 10 }, clear_after = "15m",
  again = "4h", stale = "1h" })

ctx:counters({ name = "http.requests", labels = { service = true, status = { at_least = 0 } } }, function(msg)
  bad:add(msg.labels.service, msg.labels.status >= 500, math.max(msg.value, 0))
end)

ctx:every("30s", function()
  for service, hour in bad:each() do
    -- Without requests in the last five minutes nothing is known of them; after an hour of that the alert goes stale.
    local now = bad:mean(service, "5m")
    if now and (hour.sum >= 10 or burn:is_open(service)) then
      local long, short = hour.mean / budget, now / budget
      burn:set(service, math.min(long, short),
        ("%s burns its error budget: %.0f times over an hour, %.0f over five minutes"):format(service, long, short))
    end
  end
end)
