--- Warnings: what works, but probably not as it was meant. They go to Lua's own `warn` (shown after `warn "@on"` or `lua -W`), which
--- a program may replace.

--- Warn.
---@param text string
local function emit(text)
  _G.warn("argent: " .. text)
end

return emit
