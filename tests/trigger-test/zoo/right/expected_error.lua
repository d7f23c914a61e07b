-- An error that its test expects: it is the author's will.

local ctx = hastur.trigger{}
ctx:marks({ name = "job" }, function(msg)
  if msg.value == hastur.null then error("a job without a name") end
  print(msg.value)
end)
