--- SQLite's own constructs; its types are the generic and upper-case ones of `ag`.
local core = require "argent.core"

---@class argent.sqlite
local M = {
  --- `INSERT` with `on_conflict_do_update` / `on_conflict_do_nothing`; the same object as `ag.insert`.
  insert = core.insert,
}

return setmetatable(M, {
  __index = function(_, name)
    local value = type(name) == "string" and core[name:match("^%u[%u%d_]*$") or false] or nil
    if value == nil then
      core.exc_raise("ArgumentError", ("argent.sqlite has no '%s'"):format(tostring(name)))
    end
    return value
  end,
})
