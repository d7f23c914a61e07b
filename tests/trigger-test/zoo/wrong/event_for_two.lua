-- An event may be for more than one.
-- caught: the page has two readers

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  if type(msg.attn) == "table" and #msg.attn > 1 then error("the page has two readers") end -- here
end)
