--- What tables have besides columns and constraints: comment, storage, parents, partitioning.
local indexes = require "argent.reflect.postgresql.indexes"
local query = require "argent.reflect.postgresql.query"

local M = {}

local comment_sql = [[
SELECT CAST(c.relname AS text) AS table_name, td.description AS comment FROM %s
LEFT JOIN pg_catalog.pg_description AS td ON td.objoid = c.oid AND td.objsubid = 0
  AND td.classoid = CAST('pg_catalog.pg_class' AS regclass)
WHERE %s]]

--- {[table] = {text}}
---@param conn argent.Connection
---@param o table
---@return table<string, table>
function M.get_multi_table_comment(conn, o)
  local from, where, params = query.wanted(o)
  local out = {}
  for _, row in ipairs(query.rows(conn, comment_sql:format(from, where), params)) do out[row.table_name] = {text = row.comment} end
  return out
end

local options_sql = [[
SELECT CAST(c.relname AS text) AS table_name, c.reloptions, CAST(ts.spcname AS text) AS tablespace,
  CASE WHEN am.amname <> pg_catalog.current_setting('default_table_access_method') THEN CAST(am.amname AS text) END AS method,
  CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_by, c.relpersistence = 'u' AS unlogged,
  CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS bound,
  (SELECT CASE WHEN NOT pg_catalog.pg_table_is_visible(h.inhparent) OR pn.nspname = %s THEN CAST(pn.nspname AS text) END
    FROM pg_catalog.pg_inherits AS h JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
    JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid ORDER BY h.inhseqno LIMIT 1)
    AS parent_schema,
  ARRAY(SELECT CAST(p.relname AS text) FROM pg_catalog.pg_inherits AS h JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
    WHERE h.inhrelid = c.oid ORDER BY h.inhseqno) AS parents
FROM %s
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace
WHERE %s]]

--- The parent of a partition as a key of metadata.tables: its schema is named where a foreign key to it would name it.
local function parent_key(row)
  return row.parent_schema and row.parent_schema .. "." .. row.parents[1] or row.parents[1]
end

--- {[table] = options of ag.Table}: postgresql_with, _tablespace, _using, _unlogged, _inherits, _partition_by; of a partition
--- _partition_of and _partition_bound in place of _inherits.
---@param conn argent.Connection
---@param o table
---@return table<string, table>
function M.get_multi_table_options(conn, o)
  local from, where, params = query.wanted(o)
  local out = {}
  for _, row in ipairs(query.rows(conn, options_sql:format(o.schema and ":schema" or "NULL", from, where), params)) do
    local options = {postgresql_with = indexes.storage(row.reloptions), postgresql_tablespace = row.tablespace,
      postgresql_using = row.method, postgresql_partition_by = row.partition_by, postgresql_unlogged = row.unlogged or nil}
    if row.bound then
      options.postgresql_partition_of, options.postgresql_partition_bound = parent_key(row), row.bound
    elseif #row.parents > 0 then
      options.postgresql_inherits = row.parents
    end
    out[row.table_name] = options
  end
  return out
end

return M
