-- tries: remembers by a metatable of a table of the file
-- verdict: raised
-- line: 7
local ctx = hastur.trigger{}
local t = {}
ctx:gauges({ name = "hostile" }, function(msg)
  if not getmetatable(t) then setmetatable(t, { __index = { seen = true } }) end
end)
