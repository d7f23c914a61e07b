-- tries: copies very many arguments again and again, in single instructions
-- verdict: killed
-- text: of CPU in one callback
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function spin(...)
    while true do local n = select("#", ...) end
  end
  local function grow(count, ...)
    if count == 0 then return spin(...) end
    return grow(count - 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...)
  end
  grow(700)
end)
