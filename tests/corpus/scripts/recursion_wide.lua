-- tries: fills the stack with arguments before a step is over
-- verdict: memory
-- text: out of memory: the stack is full
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f(...) return 1 + f(...) end
  pcall(f, unpack({}, 1, 7000))
end)
