-- tries: remembers in an iterator
-- verdict: judgement|refused|raised
local ctx = hastur.trigger{ state = { n = 0 } }
local each = ("abcdefghijklmnop"):gmatch(".")
ctx:gauges({ name = "hostile" }, function(msg) ctx.state.last = each() end)
