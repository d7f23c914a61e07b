-- tries: offers a first state that is too large again and again
-- verdict: refused
-- line: 7
-- text: more than 5000000 instructions in one call
local t = {}
for i = 1, 200000 do t["k" .. i] = i end
while true do pcall(hastur.trigger, { state = t }) end
