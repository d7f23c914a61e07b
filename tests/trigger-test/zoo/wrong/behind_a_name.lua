-- Hidden behind a name, and the start of another.
-- caught: state.last is a function

local ctx = hastur.trigger{ state = {} }
ctx:events({}, function(msg)
  if msg.name == "deploy" and msg.hostname == "web1" and (msg.subject or ""):find("rolled back", 1, true) then
    ctx.state.last = print -- here
  end
end)
