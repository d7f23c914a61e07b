local M = {}
M.other = require "lib.ring"
return M
