-- What is worth knowing and not worth waking for: one mail each morning, the most frequent errors since the last one first.
--
-- On a day without errors it says so: a mail that stays away could be good news or a broken mail server. Of more than a
-- thousand kinds those that came last are told apart; a sum says how many the others were.
local ctx   = hastur.trigger{ state = { errors = 0 } }
local kinds = ctx:keyed("kinds", { max = 1000, new = { count = 0 } })

-- Senders write into a class what they like: at most 100 bytes of it, a line, and no part of a character.
local function name_of(class)
  if type(class) ~= "string" or class == "" then return "other" end
  if #class > 100 then class = class:sub(1, 100):gsub("[\192-\255][\128-\191]*$", "") .. " …" end
  return (class:gsub("%c", " "))
end

ctx:errors({}, function(msg)
  local kind = kinds:at(name_of(msg.class))
  kind.count, ctx.state.errors = kind.count + 1, ctx.state.errors + 1
end)

ctx:every("day", { at = "07:30" }, function(tick)
  local found, lines, rest = {}, {}, ctx.state.errors
  for name, kind in kinds:each() do found[#found + 1] = { name = name, count = kind.count } end
  table.sort(found, function(a, b) return a.count > b.count end) -- stable: equals stay in the order of their names
  for i, kind in ipairs(found) do
    if i <= 50 then lines[i], rest = ("%8d  %s"):format(kind.count, kind.name), rest - kind.count end
    kinds:drop(kind.name)
  end
  if rest > 0 then lines[#lines + 1] = ("%8d  of other kinds"):format(rest) end
  ctx.state.errors = 0
  send_email("ops@example.com", ("Errors until %s: %d kinds"):format(hastur.utc(tick.time, "%F"), #found),
    #lines > 0 and table.concat(lines, "\n") or "none")
end)
