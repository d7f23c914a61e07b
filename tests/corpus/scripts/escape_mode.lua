-- tries: a weak table
-- verdict: raised
-- line: 7
-- text: a metatable with __mode is not allowed
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  setmetatable({}, { __mode = "k" })
end)
