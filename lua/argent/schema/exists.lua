--- What create_all and its like find in the database: names of relations, indexes, sequences and types, one query for all of a
--- schema and kind; and ag.CheckFirst, which of them to look for.
local core = require "argent.core"
local util = require "argent.schema.util"

local M = {}

--- Which kinds of objects are looked up before they are created or dropped; combined by `|`. `true` is ALL, `false` is NONE.
---
---     metadata:create_all(engine, {checkfirst = ag.CheckFirst.TABLES | ag.CheckFirst.SEQUENCES})
local values = {NONE = 0, TABLES = 2, VIEWS = 4, INDEXES = 8, SEQUENCES = 16, TYPES = 32, ALL = 62}
M.CheckFirst = setmetatable({}, {
  __index = function(_, key)
    if values[key] then return values[key] end
    local near = type(key) == "string" and core.nearest(key, {"NONE", "TABLES", "VIEWS", "INDEXES", "SEQUENCES", "TYPES", "ALL"})
    return util.bad("ag.CheckFirst", "there is no '%s'%s", tostring(key), near and ("; did you mean '%s'?"):format(near) or "")
  end,
  __pairs = function() return next, values end,
  __newindex = function() util.bad("ag.CheckFirst", "its values cannot be changed") end,
})

--- The option `checkfirst` as a number.
---@param func string
---@param value any
---@param default boolean
---@return integer
function M.flags(func, value, default)
  if value == nil then value = default end
  if type(value) == "boolean" then return value and M.CheckFirst.ALL or M.CheckFirst.NONE end
  if math.type(value) ~= "integer" or value & ~M.CheckFirst.ALL ~= 0 then
    util.bad(func, "option 'checkfirst': expected true, false or values of ag.CheckFirst, got %s", core.describe(value))
  end
  return value
end

--- The bit of a kind of look-up.
M.bits = {table = M.CheckFirst.TABLES, view = M.CheckFirst.VIEWS, index = M.CheckFirst.INDEXES,
  sequence = M.CheckFirst.SEQUENCES, type = M.CheckFirst.TYPES}

--- An identifier in double quotes.
---@private
function M._quote(name) return '"' .. name:gsub('"', '""') .. '"' end

-- ── look-ups: (connection, schema or nil) → set of names ─────────────────────────────────────────────────────────────

M.lookup = {sqlite = {}, postgresql = {}}
local sqlite, postgresql = M.lookup.sqlite, M.lookup.postgresql

local function names(conn, sql, params)
  local out = {}
  for name in conn:execute(core.text(sql), params):scalars():rows() do out[name] = true end
  return out
end

local function prefix(schema) return M._quote(schema) .. "." end

local function master(conn, schema, types)
  local from = schema and prefix(schema) .. "sqlite_master" or
    "(SELECT name, type FROM sqlite_master UNION ALL SELECT name, type FROM sqlite_temp_master)"
  return names(conn, "SELECT name FROM " .. from .. " WHERE type IN (" .. types .. ")")
end
function sqlite.table(conn, schema) return master(conn, schema, "'table', 'view'") end
function sqlite.index(conn, schema) return master(conn, schema, "'index'") end
sqlite.view = sqlite.table

local function relations(conn, schema, kinds)
  local where = schema and "n.nspname = :schema" or "pg_catalog.pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog'"
  return names(conn, "SELECT CAST(c.relname AS text) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = "
    .. "c.relnamespace WHERE c.relkind IN (" .. kinds .. ") AND " .. where, schema and {schema = schema} or nil)
end
function postgresql.table(conn, schema) return relations(conn, schema, "'r', 'p', 'f', 'v', 'm'") end
function postgresql.index(conn, schema) return relations(conn, schema, "'i', 'I'") end
function postgresql.sequence(conn, schema) return relations(conn, schema, "'S'") end
function postgresql.type(conn, schema)
  local where = schema and "n.nspname = :schema" or "pg_catalog.pg_type_is_visible(t.oid)"
  return names(conn, "SELECT CAST(t.typname AS text) FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = "
    .. "t.typnamespace WHERE t.typtype IN ('e', 'd') AND " .. where, schema and {schema = schema} or nil)
end
postgresql.view = postgresql.table

return M
