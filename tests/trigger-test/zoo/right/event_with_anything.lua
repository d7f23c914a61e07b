-- What an event may lack, and is looked at.

local ctx = hastur.trigger{}
local function text(field) return field ~= nil and field ~= hastur.null and field or "" end
ctx:events({ name = "deploy" }, function(msg)
  local attn = text(msg.attn)
  print(text(msg.subject):upper(), text(msg.body):sub(1, 20), attn ~= "" and attn[1] or "nobody")
end)
