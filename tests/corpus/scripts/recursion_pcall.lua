-- tries: recursion through pcall
-- verdict: raised
-- line: 8
-- text: stack overflow
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function f()
    local ok, text = pcall(f)
    if not ok then error(text, 0) end
  end
  f()
end)
