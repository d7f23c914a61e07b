-- tries: periods without end
-- verdict: refused
-- line: 6
-- text: at most 1000 callbacks
local ctx = hastur.trigger{}
for i = 1, 1e9 do ctx:every("1s", function() end) end
