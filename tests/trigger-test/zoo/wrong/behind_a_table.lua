-- Hidden behind an entry of a table.
-- caught: state.owner is a function

local ctx = hastur.trigger{ state = {} }
local owners = { shop = { print }, mail = { print } }
ctx:counters({ name = "http.*" }, function(msg)
  local owner = owners[msg.labels.app or ""]
  if msg.name == "http.errors" and owner then ctx.state.owner = owner[1] end -- here
end)
