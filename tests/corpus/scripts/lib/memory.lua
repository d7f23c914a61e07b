local seen = {}
local M = {}
function M.add(value)
  seen[#seen + 1] = value
end
return M
