--- ag.inspect: what is known about a thing. Objects give their state, classes their mapper, engines and connections an Inspector of
--- the database; tables, columns and statements give themselves.
local core = require "argent.core"

--- SQL is what it is: itself.
local is_sql = {Table = true, ["FROM clause"] = true, CTE = true, Insert = true, Update = true, Delete = true}

--- Look at an object, a class, an alias, a relationship, an engine or a connection.
---
---     ag.inspect(user).persistent; ag.inspect(User).primary_key; ag.inspect(engine):get_table_names()
---@param target any
---@return any
local function inspect(target)
  local kind = core.kind_of(target)
  if kind == "Engine" or kind == "Connection" then return require("argent.inspector").new(target) end
  if kind == nil and require("argent.inspector").is(target) then return target end
  local found = require("argent.orm.inspect").inspect(target)
  if found == nil and (is_sql[kind] or core.schema_is_expression(target)) then return target end
  if found == nil then
    core.exc_raise("NoInspectionAvailable", "No inspection system is available for " .. core.describe(target))
  end
  return found
end

return inspect
