-- What senders write null for that they were not given: a script reads nil there.

local ctx = hastur.trigger{}
ctx:events({ name = "deploy" }, function(msg)
  if msg.body then print(msg.body:sub(1, 20)) end
  if msg.attn then print(#msg.attn) end
  if msg.subject then print(msg.subject:upper()) end
end)
