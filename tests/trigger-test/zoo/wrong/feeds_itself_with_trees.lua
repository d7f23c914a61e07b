-- A compound of each compound, of which only a test knows the shape.
-- caught: derived 8 times over
-- told: own = true

local ctx = hastur.trigger{ own = true }
ctx:messages({}, function(msg)
  if msg.type == "compound" then
    hastur.compound("last", { name = msg.name }) -- here
  end
end)
