-- A tree whose shape its sender knows, and we do not.

local ctx = hastur.trigger{}
ctx:compounds({ name = "shop.queues" }, function(msg)
  hastur.gauge("shop.queue.mail", msg.value.mail.length, { host = msg.host })
end)
