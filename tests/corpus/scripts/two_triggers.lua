-- tries: two triggers in one file
-- verdict: refused
-- line: 6
-- text: one file is one trigger
local ctx = hastur.trigger{}
local other = hastur.trigger{}
