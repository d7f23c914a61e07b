-- tries: subscriptions without end
-- verdict: refused
-- line: 6
-- text: more than 1000
local ctx = hastur.trigger{}
for i = 1, 1e9 do ctx:gauges({ name = "x" .. i }, function() end) end
