--- ag.aliased(User): the class under another name in a statement, or in terms of a subquery.
local core = require "argent.core"
local check = require "argent.check"
local class_of = require "argent.orm.class"

local M = {}

--- A second use of a class in one statement.
---
---     local boss = ag.aliased(Employee)
---     ag.select(Employee):join(Employee.manager:of_type(boss)):where(boss.name:eq("ann"))
---@param class argent.Class
---@param options? {name: string?, flat: boolean?}|any options, or a subquery that has the class's columns
---@param more? {name: string?}
---@return argent.ClassAlias
function M.aliased(class, options, more)
  if core.kind_of(class) ~= "Mapper" then
    if core.kind_of(class) == "class alias" then class = core.orm_alias_info(class)
    elseif core.kind_of(class) == "Table" then return class:alias(type(options) == "table" and options.name or options)
    else check.argument_error("ag.aliased", 1, "expected a class, got " .. core.describe(class)) end
  end
  local element
  if core.kind_of(options) then
    element, options = options, more
  elseif more ~= nil then
    check.argument_error("ag.aliased", 3, "options stand there after a subquery only, got " .. core.describe(more))
  elseif type(options) == "string" then
    options = {name = options}
  end
  options = check.options("ag.aliased", 2, options, {name = "string", flat = "boolean", adapt_on_names = "boolean", element = true})
  element = element or options.element
  local info = core.orm_class_part(class, "info")
  local from = element
  if not from then
    from = info.table:alias(options.name)
    return core.orm_alias(class, from, {name = options.name})
  end
  return core.orm_alias(class, from, {name = options.name, element = true})
end

--- Pairs (class's column, alias's column).
---@param alias argent.orm.Alias?
function M.pairs(alias)
  local class = core.orm_alias_info(alias)
  local out = {}
  for key, expr in pairs(class_of.columns(class)) do out[#out + 1] = {expr, alias[key]} end
  return out
end

--- An alias of a class whose columns are given: name → expression.
---@param class argent.orm.Class
---@param from argent.FromClause
---@param columns argent.Column[]
function M.with_columns(class, from, columns)
  return core.orm_alias(class, from, {columns = columns})
end

return M
