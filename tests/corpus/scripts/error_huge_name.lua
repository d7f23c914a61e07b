-- tries: an unknown option with a very long name
-- verdict: refused
-- line: 5
-- text: hastur.trigger does not know
local ctx = hastur.trigger{ [("x"):rep(1000000)] = 1 }
