-- tries: remembers in a closure that a function made
-- verdict: judgement|refused|raised
local ctx = hastur.trigger{ state = { n = 0 } }
local function counter()
  local n = 0
  return function() n = n + 1 return n end
end
local count = counter()
ctx:gauges({ name = "hostile" }, function(msg) ctx.state.n = count() end)
