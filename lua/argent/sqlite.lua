--- SQLite's own constructs; its types are the generic and upper-case ones of `ag`.
local core = require "argent.core"

---@class argent.sqlite
local M = {
  --- `INSERT` with `on_conflict_do_update` / `on_conflict_do_nothing`; the same object as `ag.insert`.
  insert = core.insert,
}

local known = {"JSONB", "insert", "DATE", "DATETIME", "TIME", "INTEGER", "TEXT", "JSON", "REAL", "NUMERIC"}

local made_of = {}

--- `sqlite.JSONB`: JSON kept in SQLite's binary form (from 3.45 on): written through jsonb(), read through json(). Options are those of
--- `ag.JSON`.
local function jsonb(impl)
  if made_of[impl] then return made_of[impl] end
  local custom = require "argent.custom"
  local spec = {impl = impl, cache_ok = true, name = "JSONB",
    bind_expression = function(_, bind) return core.func.jsonb(bind) end,
    column_expression = function(_, column) return core.func.json(column) end}
  local made = core.TypeDecorator(spec)
  if impl == core.JSON then spec._with_options = function(...) return jsonb(core.JSON(...)) end end
  custom.compiles(made, function() return "JSONB" end)
  made_of[impl] = made
  return made
end

return setmetatable(M, {
  __index = function(_, name)
    if name == "JSONB" then
      M.JSONB = jsonb(core.JSON)
      return M.JSONB
    end
    local value = type(name) == "string" and core[name:match("^%u[%u%d_]*$") or false] or nil
    if value == nil then
      local near = type(name) == "string" and core.nearest(name, known)
      core.exc_raise("ArgumentError", ("argent.sqlite has no '%s'%s"):format(tostring(name),
        near and ("; did you mean '%s'?"):format(near) or ""))
    end
    return value
  end,
})
