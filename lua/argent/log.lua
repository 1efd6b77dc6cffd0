--- ag.log: where the lines of `echo = true` go.
local core = require "argent.core"

local M = {}

--- Send log lines to a function instead of stderr (nil: back to stderr). It is called inside the engine's work: it must not
--- yield and should not use the engine. Gives the handler before.
---
---     ag.log.set_handler(function(logger, level, text) my_logger:info(text) end)
---@param handler? fun(logger: string, level: "INFO"|"DEBUG", text: string)
---@return function? previous
function M.set_handler(handler)
  return core.log_handler(handler)
end

return M
