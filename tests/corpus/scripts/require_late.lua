-- tries: require in a callback
-- verdict: raised
-- line: 7
-- text: require works only while the script is loaded
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  require "lib.later"
end)
