-- tries: rewrites the methods of texts
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  getmetatable("").__index = function() end
end)
