-- tries: catches the verdict many times over
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function deeper(depth)
    if depth == 0 then while true do end end
    pcall(deeper, depth - 1)
    while true do end
  end
  deeper(100)
end)
