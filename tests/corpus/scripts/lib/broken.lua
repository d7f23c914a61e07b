local M = {}
this is no Lua
return M
