--- Which schemas, tables, views, sequences and types there are.
local query = require "argent.reflect.postgresql.query"

local M = {}

--- The schema in which names without one are made.
---@param conn argent.Connection
---@return string
function M.default_schema_name(conn)
  return query.scalar(conn, "SELECT CAST(pg_catalog.current_schema() AS text)")
end

--- All schemas but the server's own.
---@param conn argent.Connection
---@return string[]
function M.get_schema_names(conn)
  return query.scalars(conn, "SELECT CAST(nspname AS text) FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\_%' "
    .. "ORDER BY nspname")
end

--- A function that lists relations of some kinds.
local function lister(letters, scope)
  return function(conn, o)
    local params = {}
    local from, where = query.relations(letters, o.schema, scope, params)
    return query.scalars(conn, "SELECT CAST(c.relname AS text) FROM " .. from .. " WHERE " .. where .. " ORDER BY c.relname", params)
  end
end

local DEFAULT <const>, TEMPORARY <const>, ANY <const> = 1, 2, 3 -- flags of ag.ObjectScope
local table_like = {"r", "p", "f", "v", "m"}

M.get_table_names = lister({"r", "p"}, DEFAULT)
M.get_view_names = lister({"v"}, DEFAULT)
M.get_materialized_view_names = lister({"m"}, DEFAULT)
M.get_temp_view_names = lister({"v"}, TEMPORARY)
M.get_sequence_names = lister({"S"}, ANY)
M.get_foreign_table_names = lister({"f"}, ANY)

local temp_tables = lister({"r", "p"}, TEMPORARY)

--- The temporary tables of this connection.
---@param conn argent.Connection
---@return string[]
function M.get_temp_table_names(conn) return temp_tables(conn, {}) end

--- Something of the relation with that name, or nil.
local function find(conn, what, letters, name, o)
  local params = {name = name}
  local from, where = query.relations(letters, o.schema, ANY, params)
  return query.scalar(conn, "SELECT " .. what .. " FROM " .. from .. " WHERE " .. where .. " AND c.relname = CAST(:name AS text)",
    params)
end

--- Is there a table, view or foreign table of that name?
---@param conn argent.Connection
---@param name string
---@param o {schema?: string}
---@return boolean
function M.has_table(conn, name, o)
  return find(conn, "1", table_like, name, o) ~= nil
end

--- Which of the names are tables or views.
---@param conn argent.Connection
---@param names string[]
---@param o {schema?: string}
---@return table<string, boolean>
function M.has_multi_table(conn, names, o)
  local params, out = {filter_names = names}, {}
  for _, name in ipairs(names) do out[name] = false end
  local from, where = query.relations(table_like, o.schema, ANY, params)
  local sql = "SELECT CAST(c.relname AS text) FROM " .. from .. " WHERE " .. where .. " AND c.relname = ANY (:filter_names)"
  for _, name in ipairs(query.scalars(conn, sql, params)) do out[name] = true end
  return out
end

--- Is there a schema of that name?
---@param conn argent.Connection
---@param name string
---@return boolean
function M.has_schema(conn, name)
  return query.scalar(conn, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = CAST(:name AS text)", {name = name}) ~= nil
end

--- Is there a sequence of that name?
---@param conn argent.Connection
---@param name string
---@param o {schema?: string}
---@return boolean
function M.has_sequence(conn, name, o)
  return find(conn, "1", {"S"}, name, o) ~= nil
end

--- Is there a type of that name? schema "*": anywhere.
---@param conn argent.Connection
---@param name string
---@param o {schema?: string}
---@return boolean
function M.has_type(conn, name, o)
  local params = {name = name}
  return query.scalar(conn, "SELECT 1 FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace "
    .. "WHERE t.typname = CAST(:name AS text) AND " .. query.type_in_schema(o.schema, params, "t"), params) ~= nil
end

--- The SELECT of a view or materialized view; nil when there is none.
---@param conn argent.Connection
---@param name string
---@param o {schema?: string}
---@return string?
function M.get_view_definition(conn, name, o)
  return find(conn, "pg_catalog.pg_get_viewdef(c.oid)", {"v", "m"}, name, o)
end

--- The oid of a table or view; nil when there is none.
---@param conn argent.Connection
---@param name string
---@param o {schema?: string}
---@return integer?
function M.get_table_oid(conn, name, o)
  return find(conn, "c.oid", table_like, name, o)
end

return M
