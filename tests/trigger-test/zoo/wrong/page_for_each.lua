-- A page for each of many.
-- caught: effects than it may
-- told: one notification for all

local ctx = hastur.trigger{}
ctx:marks({ name = "failover" }, function(msg)
  for shard = 1, 64 do
    pager_duty("shard/" .. shard, "failed over") -- here
  end
end)
