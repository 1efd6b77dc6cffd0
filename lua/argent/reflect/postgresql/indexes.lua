--- Indexes: columns and expressions, method, operator classes, order, condition, storage.
local core = require "argent.core"
local query = require "argent.reflect.postgresql.query"

local M = {}

--- One row an index, its elements as arrays; the expression of an element is written only where there is one. Which collation an
--- expression has by itself no catalog tells: whether another one is given stands in the text of the whole index.
local sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(x.relname AS text) AS name, i.indisunique, i.indnkeyatts, x.reloptions,
  CAST(am.amname AS text) AS method, CAST(ts.spcname AS text) AS tablespace, %s AS nulls_not_distinct,
  CASE WHEN i.indpred IS NOT NULL THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END AS condition,
  EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
    AND k.contype IN ('p', 'u', 'x')) AS has_constraint, el.elements, el.is_expr, el.opclasses, el.flags,
  el.collations, el.collation_schemas
FROM %s
LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND NOT i.indisprimary
LEFT JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = x.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = x.reltablespace
LEFT JOIN LATERAL (
  SELECT array_agg(CASE WHEN i.indkey[g.ord] = 0 THEN pg_catalog.pg_get_indexdef(i.indexrelid, g.ord + 1, true)
      ELSE CAST(a.attname AS text) END ORDER BY g.ord) AS elements,
    array_agg(i.indkey[g.ord] = 0 ORDER BY g.ord) AS is_expr,
    array_agg(CASE WHEN oc.opcdefault THEN '' ELSE CAST(oc.opcname AS text) END ORDER BY g.ord) AS opclasses,
    array_agg(CAST(i.indoption[g.ord] AS integer) ORDER BY g.ord) AS flags,
    array_agg(CASE WHEN i.indcollation[g.ord] <> 0 AND i.indcollation[g.ord] <> a.attcollation OR i.indkey[g.ord] = 0
      AND strpos(pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_indexdef(i.indexrelid, g.ord + 1, true)
      || ' COLLATE ') > 0 THEN CAST(co.collname AS text) ELSE '' END ORDER BY g.ord) AS collations,
    array_agg(CASE WHEN pg_catalog.pg_collation_is_visible(co.oid) THEN '' ELSE CAST(con.nspname AS text) END ORDER BY g.ord)
      AS collation_schemas
  FROM generate_subscripts(i.indkey, 1) AS g(ord)
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g.ord]
  LEFT JOIN pg_catalog.pg_opclass AS oc ON oc.oid = i.indclass[g.ord]
  LEFT JOIN pg_catalog.pg_collation AS co ON co.oid = i.indcollation[g.ord]
  LEFT JOIN pg_catalog.pg_namespace AS con ON con.oid = co.collnamespace
) AS el ON true
WHERE %s ORDER BY c.relname, x.relname]]

--- {"fillfactor=70"} → {fillfactor = "70"}
---@param list string[]?
---@return table<string, string>?
function M.storage(list)
  if not list or #list == 0 then return nil end
  local out = {}
  for _, item in ipairs(list) do
    local key, value = item:match("^([^=]*)=(.*)$")
    out[key or item] = value or ""
  end
  return out
end

--- What differs from ascending with NULLs at the end.
local function sorting(flags)
  local desc, nulls_first = flags & 1 ~= 0, flags & 2 ~= 0
  if desc then return nulls_first and {"desc"} or {"desc", "nulls_last"} end
  return nulls_first and {"nulls_first"} or nil
end

--- The key columns: names (ag.null for an expression), expressions when there is one, sorting, operator classes.
local function elements(row, index, options)
  local ops, order, collations, schemas, any = {}, {}, {}, {}, false
  index.column_names = {}
  for i = 1, row.indnkeyatts do
    local element = row.elements[i]
    any = any or row.is_expr[i]
    index.column_names[i] = row.is_expr[i] and core.null or element
    if row.opclasses[i] and row.opclasses[i] ~= "" then ops[element] = row.opclasses[i] end
    order[element] = sorting(row.flags[i] or 0)
    if row.collations[i] and row.collations[i] ~= "" then
      collations[element] = row.collations[i]
      if row.collation_schemas[i] ~= "" then schemas[element] = row.collation_schemas[i] end
    end
  end
  if any then index.expressions = table.move(row.elements, 1, row.indnkeyatts, 1, {}) end
  if next(ops) then options.postgresql_ops = ops end
  if next(order) then index.column_sorting = order end
  if next(collations) then index.column_collations = collations end
  if next(schemas) then index.column_collation_schemas = schemas end
end

local function index_of(row)
  local options = {postgresql_include = table.move(row.elements, row.indnkeyatts + 1, #row.elements, 1, {})}
  local index = {name = row.name, unique = row.indisunique, dialect_options = options}
  elements(row, index, options)
  if row.has_constraint then index.duplicates_constraint = row.name end
  options.postgresql_with = M.storage(row.reloptions)
  if row.method ~= "btree" then options.postgresql_using = row.method end
  options.postgresql_where = row.condition
  options.postgresql_tablespace = row.tablespace
  if row.nulls_not_distinct then options.postgresql_nulls_not_distinct = true end
  return index
end

--- {[table] = {{name, unique, column_names, expressions?, column_sorting?, column_collations? (columns whose collation here is
--- another), column_collation_schemas? (of those that the search path does not find), duplicates_constraint?, dialect_options}, …}}
---@param conn argent.Connection
---@param o table
---@return table<string, table[]>
function M.get_multi_indexes(conn, o)
  local from, where, params = query.wanted(o)
  local distinct = query.since(conn, 15) and "i.indnullsnotdistinct" or "false"
  return query.grouped(query.rows(conn, sql:format(distinct, from, where), params),
    function(list, row) list[#list + 1] = index_of(row) end, function(row) return row.name ~= nil end)
end

return M
