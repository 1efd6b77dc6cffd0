--- Naming conventions: names of constraints and indexes made from the table's and columns' names, as SQLAlchemy makes them.
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}

M.default = {ix = "ix_%(column_0_label)s"}

local function column_label(column)
  local t = column.table
  return (t.schema and t.schema:gsub("%.", "_") .. "_" or "") .. t.name .. "_" .. column.name
end

--- The name of the column that a foreign key refers to: the text has its key, which is the name unless its table says otherwise.
local function referred_name(constraint, index)
  local fk = constraint.elements and constraint.elements[index]
  if not fk then return nil end
  if type(fk._target) ~= "string" then return fk._target.name end
  local place, key = fk._target:match("^(.+)%.([^%.]+)$")
  if not place then place, key = fk._target, constraint._naming_columns[index].key end
  local metadata = constraint.table.metadata
  local tab = rawget(metadata.tables, place) or metadata.schema and rawget(metadata.tables, metadata.schema .. "." .. place)
  local column = tab and rawget(tab.c, key)
  return column and column.name or key
end

--- Name, key or label of the constraint's columns; of a foreign key, names of those it refers to.
local function part(constraint, what, index)
  if what.referred then return referred_name(constraint, index) end
  local column = constraint._naming_columns[index]
  if not column then return nil end
  if what.kind == "name" then return column.name end
  if what.kind == "key" then return column.key end
  return column_label(column)
end

local kinds = {name = true, key = true, label = true}

--- column_0_name, column_0N_name (all, run together), column_0_N_name (all, with "_" between), the same with referred_.
local function column_token(constraint, token)
  local referred, rest = token:match("^(referred_)(column_.+)$")
  rest = rest or token
  local number, kind = rest:match("^column_(%d+)_(%a+)$")
  local sep
  if not number then sep, kind = rest:match("^column_0(_?)N_(%a+)$") end
  if not kind or not kinds[kind] then return nil end
  local what = {referred = referred ~= nil, kind = kind}
  if number then return part(constraint, what, math.tointeger(number) + 1) or "" end
  local out = {}
  while true do
    local text = part(constraint, what, #out + 1)
    if not text then return table.concat(out, sep) end
    out[#out + 1] = text
  end
end

local function referred_table(constraint)
  local fk = constraint.elements and constraint.elements[1]
  if not fk then return "" end
  local text = fk.target_fullname
  return text:match("([^%.]+)%.[^%.]+$") or text
end

local function token_value(token, constraint, tab, convention)
  if token == "table_name" then return tab.name end
  if token == "constraint_name" then
    if not constraint._given_name then
      util.fail("InvalidRequestError", "the naming convention of a constraint of table '%s' uses %%(constraint_name)s, so that the "
        .. "constraint needs a name", tab.name)
    end
    return constraint._given_name
  end
  if token == "referred_table_name" then return referred_table(constraint) end
  local custom = convention[token]
  if type(custom) == "function" then
    local value = custom(constraint, tab)
    if type(value) ~= "string" then
      util.fail("ArgumentError", "naming convention: token '%s' gave %s, not a string", token, core.describe(value))
    end
    return value
  end
  local value = column_token(constraint, token)
  if not value then util.fail("ArgumentError", "naming convention: unknown token '%%(%s)s'", token) end
  return value
end

--- Apply the convention of the table's MetaData. Returns the name (or nil) and whether it was made here.
---@param constraint table with _prefix ("ix", "uq" …), _given_name, _conv, _naming_columns
---@param tab argent.Table
---@return string? name, boolean generated
function M.apply(constraint, tab)
  local given = constraint._given_name
  if constraint._conv then return given, true end
  local convention = tab.metadata.naming_convention
  local format = convention[constraint._prefix] or M.default[constraint._prefix]
  if not format then return given, false end
  local wants_name = format:find("%(constraint_name)", 1, true)
  if given and not wants_name then return given, false end
  if constraint._type_bound and not given and wants_name then return nil, false end
  local name = format:gsub("%%%(([%w_]+)%)s", function(token) return token_value(token, constraint, tab, convention) end)
  return (name:gsub("%%%%", "%%")), true
end

local prefixes = {ix = true, uq = true, ck = true, fk = true, pk = true}

--- Classes of constraints, which may stand for their prefixes.
local function prefix_of(key)
  local c = require "argent.schema.constraints"
  return ({[c.Index] = "ix", [c.UniqueConstraint] = "uq", [c.CheckConstraint] = "ck", [c.ForeignKeyConstraint] = "fk",
    [c.PrimaryKeyConstraint] = "pk"})[key]
end

--- Check a naming_convention table.
---@param func string
---@param convention table
---@return table
function M.check(func, convention)
  local out = {}
  for key, value in pairs(convention) do
    key = type(key) == "function" and prefix_of(key) or key
    if type(key) ~= "string" then util.bad(func, "naming_convention: expected names as keys, got %s", core.describe(key)) end
    if prefixes[key] and type(value) ~= "string" then
      util.bad(func, "naming_convention.%s: expected a format, got %s", key, core.describe(value))
    elseif not prefixes[key] and type(value) ~= "function" then
      util.bad(func, "naming_convention.%s: expected a function(constraint, table) for a token of one's own, got %s", key,
        core.describe(value))
    end
    out[key] = value
  end
  return out
end

return M
