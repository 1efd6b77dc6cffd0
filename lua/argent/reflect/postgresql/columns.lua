--- Columns: type, default, identity, generated, collation, comment.
local query = require "argent.reflect.postgresql.query"
local types = require "argent.reflect.postgresql.types"

local M = {}

local collation_columns, collation_join = types.collation("a.attcollation", "a")

--- The sequence of an identity column hangs on it (deptype 'i'); one that a default takes numbers from is found by what the default
--- depends on. pg_description is asked for columns only: classoid.
local sql = [[
SELECT CAST(c.relname AS text) AS table_name, CAST(a.attname AS text) AS name, a.attnotnull AS not_null,
  CAST(a.attgenerated AS text) AS generated, CAST(a.attidentity AS text) AS identity, td.description AS comment,
  CASE WHEN a.atthasdef THEN (SELECT pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) FROM pg_catalog.pg_attrdef AS ad
    WHERE ad.adrelid = a.attrelid AND ad.adnum = a.attnum) END AS default_text,
  a.attcollation <> t.typcollation AS own_collation, ]] .. types.element_columns("a.atttypmod", "a.attndims") .. ", "
  .. collation_columns .. [[,
  s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, CAST(sc.relname AS text) AS sequence_name,
  CAST(sn.nspname AS text) AS sequence_schema, pg_catalog.pg_table_is_visible(sc.oid) AS sequence_visible,
  pg_catalog.format_type(s.seqtypid, NULL) AS sequence_type,
  sc.oid IS NOT NULL AND EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS od WHERE od.classid = CAST('pg_catalog.pg_class' AS regclass)
    AND od.objid = sc.oid AND od.deptype = 'a' AND od.refclassid = CAST('pg_catalog.pg_class' AS regclass) AND od.refobjid = c.oid
    AND od.refobjsubid = a.attnum) AS owned,
  sc.oid IS NOT NULL AND EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS sh WHERE sh.refclassid = CAST('pg_catalog.pg_class' AS regclass)
    AND sh.refobjid = sc.oid AND sh.classid = CAST('pg_catalog.pg_attrdef' AS regclass) AND sh.objid <> df.oid) AS shared
FROM %s
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid ]] .. types.element_join .. " " .. collation_join .. [[

LEFT JOIN pg_catalog.pg_description AS td ON td.objoid = c.oid AND td.objsubid = a.attnum
  AND td.classoid = CAST('pg_catalog.pg_class' AS regclass)
LEFT JOIN pg_catalog.pg_depend AS dp ON a.attidentity <> '' AND dp.refobjid = c.oid AND dp.refobjsubid = a.attnum
  AND dp.refclassid = CAST('pg_catalog.pg_class' AS regclass) AND dp.classid = CAST('pg_catalog.pg_class' AS regclass)
  AND dp.deptype = 'i'
LEFT JOIN pg_catalog.pg_attrdef AS df ON a.atthasdef AND a.attgenerated = '' AND df.adrelid = c.oid AND df.adnum = a.attnum
LEFT JOIN LATERAL (SELECT sd.refobjid FROM pg_catalog.pg_depend AS sd JOIN pg_catalog.pg_sequence AS sq ON sq.seqrelid = sd.refobjid
  WHERE sd.classid = CAST('pg_catalog.pg_attrdef' AS regclass) AND sd.objid = df.oid
  AND sd.refclassid = CAST('pg_catalog.pg_class' AS regclass) LIMIT 1) AS own ON true
LEFT JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = coalesce(dp.objid, own.refobjid)
LEFT JOIN pg_catalog.pg_class AS sc ON sc.oid = own.refobjid
LEFT JOIN pg_catalog.pg_namespace AS sn ON sn.oid = sc.relnamespace
WHERE %s ORDER BY c.relname, a.attnum]]

local integers = {INTEGER = true, BIGINT = true, SMALLINT = true}

--- A sequence of the table's schema is written without it when the search path finds it: with a schema asked for, it is added.
local function qualified(default, schema)
  local head, name, tail = default:match("^(.*nextval%(')([^']+)('.*)$")
  if not head then return default, false end
  if schema and not name:find(".", 1, true) then name = ('"%s".%s'):format(schema:gsub('"', '""'), name) end
  return head .. name .. tail, true
end

local function sequence(row, schema)
  return {name = row.sequence_name, schema = (not row.sequence_visible or row.sequence_schema == schema) and row.sequence_schema or nil,
    data_type = row.sequence_type, start = row.seqstart, increment = row.seqincrement, minvalue = row.seqmin, maxvalue = row.seqmax,
    cache = row.seqcache, cycle = row.seqcycle, owned = row.owned, shared = row.shared}
end

local function identity(row)
  return {always = row.identity == "a", start = row.seqstart, increment = row.seqincrement, minvalue = row.seqmin,
    maxvalue = row.seqmax, cache = row.seqcache, cycle = row.seqcycle}
end

local function column(row, named, schema)
  local type_ = types.build(row, named, ("column '%s'"):format(row.name))
  local c = {name = row.name, type = type_, nullable = not row.not_null, default = row.default_text, autoincrement = false,
    comment = row.comment}
  local domain = row.typtype == "d" and not row.is_array and named[row.element] or nil
  if domain then
    c.default = c.default or domain.default_text -- a column cannot take the domain's default away, only replace it
    c.nullable = c.nullable and domain.nullable
  end
  if row.generated ~= "" then
    c.computed = {sqltext = row.default_text, persisted = row.generated == "s"}
    c.default = nil
  elseif c.default then
    local serial
    c.default, serial = qualified(c.default, (row.sequence_schema or schema) == schema and schema or nil)
    c.autoincrement = serial and integers[type_.class_name] or false
  end
  if row.sequence_name then c.sequence = sequence(row, schema) end
  if row.identity ~= "" then
    c.identity = identity(row)
    c.autoincrement = true
  end
  return c
end

--- {[table] = {{name, type, nullable, default, autoincrement, comment, computed?, identity?, sequence?}, …}}; sequence: the one that
--- the default takes its numbers from; owned: it is this very column's, as SERIAL makes it; shared: other
--- defaults take numbers from it, too.
---@param conn argent.Connection
---@param o {schema?: string, filter_names?: string[], kind?: integer, scope?: integer}
---@return table<string, table[]>
function M.get_multi_columns(conn, o)
  local from, where, params = query.wanted(o)
  local rows, oids = query.rows(conn, sql:format(from, where), params), {}
  for _, row in ipairs(rows) do
    if row.typtype == "e" or row.typtype == "d" then oids[row.element] = row.typtype end
  end
  local named = next(oids) and types.load(conn, oids) or {}
  return query.grouped(rows, function(list, row) list[#list + 1] = column(row, named, o.schema) end,
    function(row) return row.name ~= nil end)
end

return M
