-- tries: a handler that raises, for ever
-- verdict: instructions
-- line: 8
-- text: more than 5000000 instructions in one call
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local function handle() error("again") end
  while true do xpcall(error, handle) end
end)
