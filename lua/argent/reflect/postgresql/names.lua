--- Which schemas, tables, views, sequences and types there are.
local core = require "argent.core"
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
  return function(conn, schema)
    local params = {}
    local from, where = query.relations(letters, schema, scope, params)
    return query.scalars(conn, "SELECT CAST(c.relname AS text) FROM " .. from .. " WHERE " .. where .. " ORDER BY c.relname", params)
  end
end

M.get_table_names = lister({"r", "p"}, "DEFAULT")
M.get_view_names = lister({"v"}, "DEFAULT")
M.get_materialized_view_names = lister({"m"}, "DEFAULT")
M.get_temp_view_names = lister({"v"}, "TEMPORARY")
M.get_sequence_names = lister({"S"}, "ANY")
M.get_foreign_table_names = lister({"f"}, "ANY")

local temp_tables = lister({"r", "p"}, "TEMPORARY")

--- The temporary tables of this connection.
---@param conn argent.Connection
---@return string[]
function M.get_temp_table_names(conn) return temp_tables(conn, nil) end

--- The first of the relations with that name, or nil.
local function find(conn, what, letters, name, schema)
  local params = {name = name}
  local from, where = query.relations(letters, schema, "ANY", params)
  return query.scalar(conn, "SELECT " .. what .. " FROM " .. from .. " WHERE " .. where .. " AND c.relname = CAST(:name AS text)",
    params)
end

--- Is there a table, view or foreign table of that name?
---@param conn argent.Connection
---@param name string of a table, view or materialized view
---@param schema string?
---@return boolean
function M.has_table(conn, name, schema)
  return find(conn, "1", {"r", "p", "f", "v", "m"}, name, schema) ~= nil
end

--- Which of the names are tables or views.
---@param conn argent.Connection
---@param names string[]
---@param schema string?
---@return table<string, boolean>
function M.has_multi_table(conn, names, schema)
  local params, out = {filter_names = names}, {}
  for _, name in ipairs(names) do out[name] = false end
  if #names == 0 then return out end
  local from, where = query.relations({"r", "p", "f", "v", "m"}, schema, "ANY", params)
  local sql = "SELECT CAST(c.relname AS text) FROM " .. from .. " WHERE " .. where .. " AND c.relname = ANY (:filter_names)"
  for _, name in ipairs(query.scalars(conn, sql, params)) do out[name] = true end
  return out
end

--- Is there a schema of that name?
---@param conn argent.Connection
---@param schema string
---@return boolean
function M.has_schema(conn, schema)
  return query.scalar(conn, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = CAST(:name AS text)", {name = schema}) ~= nil
end

--- Is there a sequence of that name?
---@param conn argent.Connection
---@param name string
---@param schema string?
---@return boolean
function M.has_sequence(conn, name, schema)
  return find(conn, "1", {"S"}, name, schema) ~= nil
end

--- Has the table an index of that name, its primary key's left out?
---@param conn argent.Connection
---@param table_name string
---@param index_name string
---@param schema string?
---@return boolean
function M.has_index(conn, table_name, index_name, schema)
  local params = {name = table_name, index = index_name}
  local from, where = query.relations({"r", "p", "f", "m"}, schema, "ANY", params)
  return query.scalar(conn, "SELECT 1 FROM " .. from .. " JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid "
    .. "JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid WHERE " .. where .. " AND NOT i.indisprimary "
    .. "AND c.relname = CAST(:name AS text) AND x.relname = CAST(:index AS text)", params) ~= nil
end

--- Is there a type of that name? schema "*": anywhere.
---@param conn argent.Connection
---@param name string
---@param schema string?
---@return boolean
function M.has_type(conn, name, schema)
  local params = {name = name}
  return query.scalar(conn, "SELECT 1 FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace "
    .. "WHERE t.typname = CAST(:name AS text) AND " .. query.type_in_schema(schema, params, "t"), params) ~= nil
end

local function not_found(name, schema)
  return core.exc_raise("NoSuchTableError", schema and schema .. "." .. name or name)
end

--- The SELECT of a view or materialized view.
---@param conn argent.Connection
---@param name string
---@param schema string?
---@return string
function M.get_view_definition(conn, name, schema)
  return find(conn, "pg_catalog.pg_get_viewdef(c.oid)", {"v", "m"}, name, schema) or not_found(name, schema)
end

--- The oid of a table or view; raises when there is none.
---@param conn argent.Connection
---@param name string
---@param schema string?
---@return integer
function M.get_table_oid(conn, name, schema)
  return find(conn, "c.oid", {"r", "p", "f", "v", "m"}, name, schema) or not_found(name, schema)
end

return M
