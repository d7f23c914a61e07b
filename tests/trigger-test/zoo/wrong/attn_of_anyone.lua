-- An event for somebody that says nothing more.
-- caught: slack: the text must be a string, got nil
-- told: the field 'body'
local ctx = hastur.trigger{}
ctx:events({ attn = true }, function(msg)
  slack(msg.body) -- here
end)
