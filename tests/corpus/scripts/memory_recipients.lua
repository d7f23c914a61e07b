-- tries: a mail to one long address many times
-- verdict: raised
-- line: 9
-- text: larger than 256 KiB
local ctx = hastur.trigger{ state = { n = 0 } }
ctx:gauges({ name = "hostile" }, function(msg)
  local list, address = {}, ("x"):rep(30000000)
  for i = 1, 1000 do list[i] = address end
  send_email(list, "subject", "body")
end)
