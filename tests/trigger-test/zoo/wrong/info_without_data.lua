-- What a process says of itself may be nothing at all.
-- caught: attempt to index field 'data'
-- told: the field 'data'

local ctx = hastur.trigger{ state = { versions = {} } }
ctx:infos({ type = "info_process" }, function(msg)
  ctx.state.versions[msg.host] = msg.data.version -- here
end)
