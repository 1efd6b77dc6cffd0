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
  CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_by,
  ARRAY(SELECT CAST(p.relname AS text) FROM pg_catalog.pg_inherits AS h JOIN pg_catalog.pg_class AS p ON p.oid = h.inhparent
    WHERE h.inhrelid = c.oid ORDER BY h.inhseqno) AS parents
FROM %s
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace
WHERE %s]]

--- {[table] = options of ag.Table}: postgresql_with, _tablespace, _using, _inherits, _partition_by.
---@param conn argent.Connection
---@param o table
---@return table<string, table>
function M.get_multi_table_options(conn, o)
  local from, where, params = query.wanted(o)
  local out = {}
  for _, row in ipairs(query.rows(conn, options_sql:format(from, where), params)) do
    out[row.table_name] = {postgresql_with = indexes.storage(row.reloptions), postgresql_tablespace = row.tablespace,
      postgresql_using = row.method, postgresql_partition_by = row.partition_by,
      postgresql_inherits = #row.parents > 0 and row.parents or nil}
  end
  return out
end

return M
