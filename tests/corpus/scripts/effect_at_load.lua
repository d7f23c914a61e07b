-- tries: notifies while it is loaded
-- verdict: refused
-- line: 6
-- text: possible only in a callback
local ctx = hastur.trigger{}
pager_duty("key", "text")
