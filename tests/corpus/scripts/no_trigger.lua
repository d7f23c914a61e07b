-- tries: a script that makes no trigger
-- verdict: refused
-- text: the script makes no trigger
local x = 1
