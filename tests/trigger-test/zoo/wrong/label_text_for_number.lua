-- A label that may be "200" and is compared with 500.
-- caught: attempt to compare
-- told: labels = { status = { at_least = 0 } }

local ctx = hastur.trigger{ state = { failed = 0 } }
ctx:counters({ name = "http.requests", labels = { status = true } }, function(msg)
  if msg.labels.status >= 500 then -- here
    ctx.state.failed = ctx.state.failed + 1
  end
end)
