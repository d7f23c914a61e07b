-- tries: an error whose text raises
-- verdict: raised
-- line: 7
-- text: instead of a text
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  error(setmetatable({}, { __tostring = error }))
end)
