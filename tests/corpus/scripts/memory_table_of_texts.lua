-- tries: fills a table with long texts
-- verdict: memory
-- line: 6
-- text: out of memory: a trigger may use 64MiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local t = {}
  for i = 1, 1e9 do t[i] = ("x"):rep(10000) .. i end
end)
