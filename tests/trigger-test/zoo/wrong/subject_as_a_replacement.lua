-- The same of what is put in by gsub.
-- caught: in a pattern
-- told: no pattern
local ctx = hastur.trigger{}
local template = "Alarm: TEXT"
ctx:events({ attn = "ops" }, function(msg)
  slack((template:gsub("TEXT", msg.subject or "none")))  -- here
end)
