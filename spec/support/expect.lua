--- Expectations about errors.
local ag = require "argent"

local M = {}

--- Call f and return the error object it raises; fails unless it is of the class (a name of ag.exc) and its text holds
--- each of the given plain texts.
function M.raises(class, texts, f, ...)
  local ok, e = pcall(f, ...)
  if ok then error(("expected %s, but nothing was raised"):format(class), 2) end
  if not ag.exc.is_error(e) then error(("expected %s, got: %s"):format(class, tostring(e)), 2) end
  if not e:is(ag.exc[class]) then error(("expected %s, got %s"):format(class, tostring(e)), 2) end
  if type(texts) == "string" then texts = {texts} end
  for _, text in ipairs(texts or {}) do
    if not tostring(e):find(text, 1, true) then
      error(("expected a message with %q, got: %s"):format(text, tostring(e)), 2)
    end
  end
  return e
end

return M
