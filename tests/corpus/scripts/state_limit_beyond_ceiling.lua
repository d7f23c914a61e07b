-- tries: asks for more state than there may be
-- verdict: refused
-- line: 5
-- text: state_bytes_max is more than this platform allows
local ctx = hastur.trigger{ state_bytes_max = "1000GiB" }
ctx:gauges({ name = "hostile" }, function(msg) end)
