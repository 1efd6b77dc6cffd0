--- Primary keys, foreign keys, UNIQUE, CHECK and EXCLUDE constraints, read from the columns of pg_constraint, not from their text.
local query = require "argent.reflect.postgresql.query"

local M = {}

--- The names of the columns whose numbers are in the array `keys` of relation `rel`, in that order.
local function names(keys, rel, name)
  return ("ARRAY(SELECT %s FROM unnest(%s) WITH ORDINALITY AS u(num, ord) JOIN pg_catalog.pg_attribute AS a "
    .. "ON a.attrelid = %s AND a.attnum = u.num ORDER BY u.ord)"):format(name or "CAST(a.attname AS text)", keys, rel)
end

local description = "LEFT JOIN pg_catalog.pg_description AS td ON td.objoid = k.oid AND td.objsubid = 0 "
  .. "AND td.classoid = CAST('pg_catalog.pg_constraint' AS regclass)"

--- deferrable and initially, where they are not the default.
local function timing(row, into)
  if row.condeferrable then into.deferrable = true end
  if row.condeferred then into.initially = "DEFERRED" end
  return into
end

-- ── primary key, unique ──────────────────────────────────────────────────────────────────────────────────────────────

local key_sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(k.conname AS text) AS name, k.condeferrable, k.condeferred,
  td.description AS comment, %s AS nulls_not_distinct, ]] .. names("k.conkey", "k.conrelid") .. [[ AS columns,
  ARRAY(SELECT CAST(a.attname AS text) FROM generate_subscripts(i.indkey, 1) AS g(ord) JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g.ord] WHERE g.ord >= i.indnkeyatts ORDER BY g.ord) AS include
FROM %s
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = '%s'
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = k.conindid ]] .. description .. [[

WHERE %s ORDER BY c.relname, k.conname]]

local function key_rows(conn, o, contype)
  local from, where, params = query.wanted(o)
  local distinct = query.since(conn, 15) and "i.indnullsnotdistinct" or "NULL"
  return query.rows(conn, key_sql:format(distinct, from, contype, where), params)
end

local function has_name(row) return row.name ~= nil end

--- {[table] = {constrained_columns, name, comment, dialect_options}}; deferrable and initially stand in `options`.
---@param conn argent.Connection
---@param o table
---@return table<string, table>
function M.get_multi_pk_constraint(conn, o)
  local out = {}
  for _, row in ipairs(key_rows(conn, o, "p")) do
    local pk = {constrained_columns = row.columns or {}, name = row.name}
    if row.name then
      pk.comment, pk.dialect_options = row.comment, {postgresql_include = row.include}
      pk.options = timing(row, {})
    end
    out[row.table_name] = pk
  end
  return out
end

--- {[table] = {{column_names, name, comment, dialect_options}, …}}; deferrable and initially stand in `options`.
---@param conn argent.Connection
---@param o table
---@return table<string, table[]>
function M.get_multi_unique_constraints(conn, o)
  return query.grouped(key_rows(conn, o, "u"), function(list, row)
    list[#list + 1] = {column_names = row.columns, name = row.name, comment = row.comment, options = timing(row, {}),
      dialect_options = {postgresql_include = row.include, postgresql_nulls_not_distinct = row.nulls_not_distinct}}
  end, has_name)
end

-- ── foreign keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

--- A foreign key to a partitioned table has a constraint of the same table for each partition under it (conparentid): left out.
local fk_sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(k.conname AS text) AS name, k.condeferrable, k.condeferred, k.convalidated,
  CAST(k.confupdtype AS text) AS onupdate, CAST(k.confdeltype AS text) AS ondelete, CAST(k.confmatchtype AS text) AS match,
  td.description AS comment, CAST(r.relname AS text) AS referred_table, CAST(rn.nspname AS text) AS referred_schema,
  pg_catalog.pg_table_is_visible(r.oid) AS visible, ]] .. names("k.conkey", "k.conrelid") .. " AS columns, "
  .. names("k.confkey", "k.confrelid") .. [[ AS referred, %s AS set_columns
FROM %s
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f' AND (k.conparentid = 0
  OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid))
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace ]] .. description .. [[

WHERE %s ORDER BY c.relname, k.conname]]

local actions = {r = "RESTRICT", c = "CASCADE", n = "SET NULL", d = "SET DEFAULT"}

local function fk_options(row)
  local o = timing(row, {onupdate = actions[row.onupdate], ondelete = actions[row.ondelete]})
  if row.match == "f" then o.match = "FULL" elseif row.match == "p" then o.match = "PARTIAL" end
  if row.set_columns and #row.set_columns > 0 then o.ondelete = o.ondelete .. " (" .. table.concat(row.set_columns, ", ") .. ")" end
  if not row.convalidated then o.postgresql_not_valid = true end
  return o
end

--- The schema is left out where the search path finds the table, unless it is the one that is looked at.
local function referred_schema(row, o, default_schema)
  if default_schema then return row.referred_schema ~= default_schema and row.referred_schema or o.schema end
  if not row.visible or row.referred_schema == o.schema then return row.referred_schema end
end

--- {[table] = {{name, constrained_columns, referred_schema, referred_table, referred_columns, options, comment}, …}}
---@param conn argent.Connection
---@param o table with `postgresql_ignore_search_path`: the referred schema is given unless it is the default one
---@return table<string, table[]>
function M.get_multi_foreign_keys(conn, o)
  local from, where, params = query.wanted(o)
  local default_schema = o.postgresql_ignore_search_path
    and query.scalar(conn, "SELECT CAST(pg_catalog.current_schema() AS text)") or nil
  local set = query.since(conn, 15) and names("k.confdelsetcols", "k.conrelid", "pg_catalog.quote_ident(a.attname)") or "NULL"
  return query.grouped(query.rows(conn, fk_sql:format(set, from, where), params), function(list, row)
    list[#list + 1] = {name = row.name, constrained_columns = row.columns, referred_table = row.referred_table,
      referred_schema = referred_schema(row, o, default_schema), referred_columns = row.referred, options = fk_options(row),
      comment = row.comment}
  end, has_name)
end

-- ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local check_sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(k.conname AS text) AS name, k.convalidated, k.connoinherit,
  td.description AS comment, pg_catalog.pg_get_expr(k.conbin, k.conrelid, true) AS sqltext
FROM %s
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'c' ]] .. description .. [[

WHERE %s ORDER BY c.relname, k.conname]]

--- {[table] = {{name, sqltext, comment, dialect_options = {not_valid?, no_inherit?}}, …}}
---@param conn argent.Connection
---@param o table
---@return table<string, table[]>
function M.get_multi_check_constraints(conn, o)
  local from, where, params = query.wanted(o)
  return query.grouped(query.rows(conn, check_sql:format(from, where), params), function(list, row)
    local check = {name = row.name, sqltext = query.strip_outer_parens(row.sqltext), comment = row.comment}
    if not row.convalidated or row.connoinherit then
      check.dialect_options = {not_valid = not row.convalidated or nil, no_inherit = row.connoinherit or nil}
    end
    list[#list + 1] = check
  end, has_name)
end

-- ── exclude ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local exclude_sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(k.conname AS text) AS name, k.condeferrable, k.condeferred,
  td.description AS comment, CAST(am.amname AS text) AS method,
  CASE WHEN i.indpred IS NOT NULL THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid) END AS condition, el.names, el.texts,
  el.operators, el.opclasses
FROM %s
LEFT JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'x'
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = k.conindid
LEFT JOIN pg_catalog.pg_class AS x ON x.oid = k.conindid
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = x.relam
]] .. description .. [[

LEFT JOIN LATERAL (
  SELECT array_agg(CAST(coalesce(a.attname, '') AS text) ORDER BY g.ord) AS names,
    array_agg(pg_catalog.pg_get_indexdef(k.conindid, g.ord + 1, true) ORDER BY g.ord) AS texts,
    array_agg(CAST(op.oprname AS text) ORDER BY g.ord) AS operators,
    array_agg(CASE WHEN oc.opcdefault THEN '' ELSE CAST(oc.opcname AS text) END ORDER BY g.ord) AS opclasses
  FROM generate_subscripts(i.indkey, 1) AS g(ord)
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g.ord]
  LEFT JOIN pg_catalog.pg_operator AS op ON op.oid = k.conexclop[g.ord + 1]
  LEFT JOIN pg_catalog.pg_opclass AS oc ON oc.oid = i.indclass[g.ord]
  WHERE g.ord < i.indnkeyatts
) AS el ON true
WHERE %s ORDER BY c.relname, k.conname]]

--- {column = name or nil, expression = SQL or nil, operator, opclass?}
local function exclude_elements(row)
  local out = {}
  for i, name in ipairs(row.names) do
    out[i] = {column = name ~= "" and name or nil, expression = name == "" and row.texts[i] or nil, operator = row.operators[i],
      opclass = row.opclasses[i] ~= "" and row.opclasses[i] or nil}
  end
  return out
end

--- {[table] = {{name, elements, using, where, comment, options}, …}}: what SQLAlchemy shows as an index only.
---@param conn argent.Connection
---@param o table
---@return table<string, table[]>
function M.get_multi_exclude_constraints(conn, o)
  local from, where, params = query.wanted(o)
  return query.grouped(query.rows(conn, exclude_sql:format(from, where), params), function(list, row)
    list[#list + 1] = {name = row.name, elements = exclude_elements(row), using = row.method, where = row.condition,
      comment = row.comment, options = timing(row, {})}
  end, has_name)
end

return M
