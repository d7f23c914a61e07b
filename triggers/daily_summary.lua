-- Each morning at half past seven one mail: what failed in the last day, the most frequent first.
--
-- For what is worth knowing and not worth waking for. On a day without errors it says so: a mail that stays away would
-- be good news or a broken mail server, and nobody could tell which.
local ctx    = hastur.trigger()
local failed = ctx:window("failed", { span = "1d", slot = "15m" })

ctx:errors({}, function(msg)
  local class = msg.class -- senders put there what they like
  failed:add(type(class) == "string" and class ~= "" and class or "other", 1)
end)

ctx:every("day", { at = "07:30" }, function(tick)
  local found, lines = {}, {}
  for class, w in failed:each() do found[#found + 1] = { class = class, count = w.count } end
  table.sort(found, function(a, b) return a.count > b.count end) -- stable: equals stay in the order of their names
  for i = 1, math.min(#found, 50) do lines[i] = ("%8d  %s"):format(found[i].count, found[i].class) end
  send_email("ops@example.com", ("Errors until %s: %d kinds"):format(hastur.utc(tick.time, "%F"), #found),
    #lines > 0 and table.concat(lines, "\n") or "none")
end)
