-- tries: a proxy
-- verdict: raised
-- line: 7
-- text: attempt to
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local p = newproxy(true)
  getmetatable(p).__tostring = function() end
end)
