-- An event need not be for anybody.
-- caught: attempt to index field 'attn'
-- told: the field 'attn'

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  print(msg.attn[1]) -- here
end)
