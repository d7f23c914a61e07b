local remember = { values = {} }
function remember.last(host, value)
  local before = remember.values[host]
  remember.values[host] = value -- here
  return before
end
return remember
