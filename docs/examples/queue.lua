-- A queue that grows too long: page once, resolve when it is short again, say every minute how long it is.
local ctx = hastur.trigger{ state = { length = 0, paged = false } }

ctx:gauges({ name = "shop.queue" }, function(msg)
  ctx.state.length = msg.value
  if msg.value > 100 and not ctx.state.paged then
    ctx.state.paged = true
    pager_duty("queue/" .. msg.host, ("%d waiting"):format(msg.value), { waiting = msg.value })
  elseif msg.value < 10 and ctx.state.paged then
    ctx.state.paged = false
    pager_duty("queue/" .. msg.host, "it is short again", {}, { action = "resolve" })
  end
end)

ctx:every("minute", function(tick)
  hastur.gauge("shop.queue.length", ctx.state.length)
end)
