-- tries: a very long error while it is loaded
-- verdict: refused
-- line: 6
-- text: xxxxxxxx
local ctx = hastur.trigger{}
error(("x"):rep(10000000))
