--- Types: from pg_type and what format_type() writes to argent's type objects; enums and domains.
local core = require "argent.core"
local query = require "argent.reflect.postgresql.query"
local warn = require "argent.warn"

local M = {}
local pg = core.postgresql_types

-- ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- The columns that describe the type `oid` with modifier `mod`, joined as `t`; `e` is the element of an array (else t itself).
--- An array is what format_type() writes with brackets: int2vector and oidvector are not.
M.element_join = [[
LEFT JOIN pg_catalog.pg_type AS e ON e.oid =
  CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' AND t.typstorage <> 'p' THEN t.typelem ELSE t.oid END
LEFT JOIN pg_catalog.pg_namespace AS en ON en.oid = e.typnamespace]]

--- The columns that M.build reads.
---@param mod string the SQL of the type modifier
---@param dims string the SQL of the number of dimensions
---@return string
function M.element_columns(mod, dims)
  return "e.oid AS element, e.oid <> t.oid AS is_array, " .. dims .. " AS dims, CAST(e.typtype AS text) AS typtype, "
    .. "CAST(e.typname AS text) AS typname, CAST(en.nspname AS text) AS typschema, pg_catalog.pg_type_is_visible(e.oid) AS typvisible, "
    .. "pg_catalog.format_type(e.oid, " .. mod .. ") AS typtext"
end

--- Name and, where the search path does not find it, schema of the collation `oid`.
---@param oid string SQL
---@param prefix string of the aliases
---@return string columns
---@return string join
function M.collation(oid, prefix)
  local co, cn = prefix .. "co", prefix .. "cn"
  return ("CAST(%s.collname AS text) AS collation, CASE WHEN NOT pg_catalog.pg_collation_is_visible(%s.oid) "
    .. "THEN CAST(%s.nspname AS text) END AS collation_schema"):format(co, co, cn),
    ("LEFT JOIN pg_catalog.pg_collation AS %s ON %s.oid = %s LEFT JOIN pg_catalog.pg_namespace AS %s ON %s.oid = %s.collnamespace")
    :format(co, co, oid, cn, cn, co)
end

local enum_sql = [[
SELECT t.oid, CAST(t.typname AS text) AS name, CAST(n.nspname AS text) AS schema, pg_catalog.pg_type_is_visible(t.oid) AS visible,
  ARRAY(SELECT CAST(l.enumlabel AS text) FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder) AS labels
FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND %s ORDER BY n.nspname, t.typname]]

local collation_columns, collation_join = M.collation("d.typcollation", "d")

local domain_sql = [[
SELECT d.oid, CAST(d.typname AS text) AS name, CAST(n.nspname AS text) AS schema, pg_catalog.pg_type_is_visible(d.oid) AS visible,
  NOT d.typnotnull AS nullable, d.typdefault AS default_text, pg_catalog.format_type(d.typbasetype, d.typtypmod) AS type,
  d.typcollation <> t.typcollation AS own_collation, ]] .. M.element_columns("d.typtypmod", "d.typndims") .. ", "
  .. collation_columns .. [[,
  ARRAY(SELECT CAST(k.conname AS text) FROM pg_catalog.pg_constraint AS k WHERE k.contypid = d.oid AND k.contype = 'c'
    ORDER BY k.conname) AS check_names,
  ARRAY(SELECT pg_catalog.pg_get_constraintdef(k.oid, true) FROM pg_catalog.pg_constraint AS k
    WHERE k.contypid = d.oid AND k.contype = 'c' ORDER BY k.conname) AS check_texts
FROM pg_catalog.pg_type AS d JOIN pg_catalog.pg_namespace AS n ON n.oid = d.typnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = d.typbasetype ]] .. M.element_join .. " " .. collation_join .. [[

WHERE d.typtype = 'd' AND %s ORDER BY n.nspname, d.typname]]

--- `CHECK (…)`: what is in the brackets.
local function check_text(text)
  return (text:gsub("%s+NOT VALID$", "")):match("^CHECK%s*%((.*)%)$") or text
end

local function enum_of(row)
  return {name = row.name, schema = row.schema, visible = row.visible, labels = row.labels or {}}
end

local function domain_of(row)
  local constraints = {}
  for i, name in ipairs(row.check_names or {}) do constraints[i] = {name = name, check = check_text(row.check_texts[i])} end
  return {name = row.name, schema = row.schema, visible = row.visible, type = row.type, nullable = row.nullable,
    default = row.default_text, constraints = constraints, collation = row.collation, collation_schema = row.collation_schema}
end

local function all_of(conn, sql, alias, schema, make)
  local params, out = {}, {}
  local where = query.type_in_schema(schema, params, alias)
  for i, row in ipairs(query.rows(conn, sql:format(where), params)) do out[i] = make(row) end
  return out
end

--- The enums of a schema (nil: those the search path finds; "*": all), each {name, schema, visible, labels}.
---@param conn argent.Connection
---@param o {schema?: string}
---@return table[]
function M.get_enums(conn, o)
  return all_of(conn, enum_sql, "t", o.schema, enum_of)
end

--- The domains of a schema, each {name, schema, visible, type, nullable, default, constraints, collation, collation_schema}.
---@param conn argent.Connection
---@param o {schema?: string}
---@return table[]
function M.get_domains(conn, o)
  return all_of(conn, domain_sql, "d", o.schema, domain_of)
end

--- Enums and domains by oid, those that domains are made of included.
---@param conn argent.Connection
---@param oids table<integer, string> oid → typtype
---@return table<integer, table>
function M.load(conn, oids)
  local found, enums, domains = {}, {}, {}
  local function want(oid, typtype)
    if found[oid] then return end
    found[oid] = {}
    if typtype == "e" then enums[#enums + 1] = oid end
    if typtype == "d" then domains[#domains + 1] = oid end
  end
  for oid, typtype in pairs(oids) do want(oid, typtype) end
  while #domains > 0 do
    local list = domains
    domains = {}
    for _, row in ipairs(query.rows(conn, domain_sql:format("d.oid = ANY (:oids)"), {oids = list})) do
      found[row.oid] = row
      want(row.element, row.typtype)
    end
  end
  if #enums > 0 then
    for _, row in ipairs(query.rows(conn, enum_sql:format("t.oid = ANY (:oids)"), {oids = enums})) do found[row.oid] = row end
  end
  return found
end

-- ── type objects ─────────────────────────────────────────────────────────────────────────────────────────────────────

local plain = {
  hstore = pg.HSTORE, citext = pg.CITEXT, json = core.JSON, jsonb = pg.JSONB, jsonpath = pg.JSONPATH,
  int4range = pg.INT4RANGE, int8range = pg.INT8RANGE, numrange = pg.NUMRANGE, daterange = pg.DATERANGE,
  tsrange = pg.TSRANGE, tstzrange = pg.TSTZRANGE, int4multirange = pg.INT4MULTIRANGE, int8multirange = pg.INT8MULTIRANGE,
  nummultirange = pg.NUMMULTIRANGE, datemultirange = pg.DATEMULTIRANGE, tsmultirange = pg.TSMULTIRANGE,
  tstzmultirange = pg.TSTZMULTIRANGE, integer = core.INTEGER, bigint = core.BIGINT, smallint = core.SMALLINT,
  ['"char"'] = core.String, name = core.String, text = core.TEXT, real = core.REAL, inet = pg.INET, cidr = pg.CIDR,
  uuid = core.UUID, macaddr = pg.MACADDR, macaddr8 = pg.MACADDR8, money = pg.MONEY, oid = pg.OID, regclass = pg.REGCLASS,
  regconfig = pg.REGCONFIG, date = core.DATE, bytea = pg.BYTEA, boolean = core.BOOLEAN, tsvector = pg.TSVECTOR,
  tsquery = pg.TSQUERY,
}

--- Those with arguments: (numbers in the brackets, collation, fields of an interval) → type.
local made = {
  ["character varying"] = function(a, o)
    return core.VARCHAR{length = a[1], collation = o.collation, collation_schema = o.collation_schema}
  end,
  character = function(a, o) return core.CHAR{length = a[1], collation = o.collation, collation_schema = o.collation_schema} end,
  numeric = function(a) return a[1] and core.NUMERIC(a[1], a[2]) or core.NUMERIC end,
  ["double precision"] = function() return core.DOUBLE_PRECISION(53) end,
  bit = function(a) return pg.BIT(a[1]) end,
  ["bit varying"] = function(a) return pg.BIT(a[1], {varying = true}) end,
  interval = function(a, _, fields) return pg.INTERVAL{precision = a[1], fields = fields} end,
}
for name, type_ in pairs{timestamp = core.TIMESTAMP, time = core.TIME} do
  made[name] = function(a) return type_{precision = a[1]} end
  made[name .. " without time zone"] = made[name]
  made[name .. " with time zone"] = function(a) return type_{timezone = true, precision = a[1]} end
end

--- "timestamp(3) with time zone" → "timestamp with time zone", {3}, nil; "interval day to second(2)" → "interval", {2}, "day to
--- second".
local function split(text)
  local args = {}
  local head, inside, tail = text:match("^(.-)%(([%d,%s%-]*)%)(.*)$")
  for number in (inside or ""):gmatch("%-?%d+") do args[#args + 1] = math.tointeger(tonumber(number)) end
  local name = head and head .. tail or text
  local fields = name:match("^interval (.+)$")
  return fields and "interval" or name, args, fields
end

local function unknown(name, what)
  warn(("Did not recognize type '%s' of %s"):format(name, what))
  return core.NullType
end

--- A type of the server's own, or of a known extension.
local function builtin(info, what, collation)
  if info.typtype == "b" and (info.typname == "hstore" or info.typname == "citext") then
    return info.typname == "citext" and collation.collation and pg.CITEXT(collation) or plain[info.typname]
  end
  if info.typschema ~= "pg_catalog" then return unknown(info.typtext, what) end
  local name, args, fields = split(info.typtext)
  if name == "text" and collation.collation then return core.TEXT(collation) end
  if plain[name] then return plain[name] end
  if not made[name] then return unknown(name, what) end
  local ok, type_ = pcall(made[name], args, collation, fields)
  if ok then return type_ end
  return unknown(info.typtext, what) -- numeric(3,-2)
end

local function enum_type(row)
  return pg.ENUM(row.labels, {name = row.name, schema = not row.visible and row.schema or nil})
end

local function domain_type(row, named, depth)
  local base = M.build(row, named, ("DOMAIN '%s'"):format(row.name), depth, true)
  return pg.DOMAIN(row.name, base, {schema = not row.visible and row.schema or nil, collation = row.own_collation and row.collation
    or nil, collation_schema = row.own_collation and row.collation_schema or nil, default = row.default_text and query.text(row.default_text) or nil,
    not_null = not row.nullable, constraints = domain_of(row).constraints})
end

--- The type object of a column (or of a domain's base): `info` has the columns of `element_columns`, and collation where it is
--- not the type's own.
---@param info table
---@param named table<integer, table> of `load`
---@param what string for the warning: "column 'x'"
---@param depth? integer of domains over domains
---@param bare? boolean without the collation, which stands elsewhere
---@return argent.Type
function M.build(info, named, what, depth, bare)
  depth = depth or 0
  local row = named[info.element]
  local type_
  if info.element == nil or depth > 50 then
    warn("PostgreSQL format_type() returned NULL for " .. what)
    return core.NullType
  elseif info.typtype == "e" and row then
    type_ = enum_type(row)
  elseif info.typtype == "d" and row then
    type_ = domain_type(row, named, depth + 1)
  else
    type_ = builtin(info, what, not bare and info.own_collation
      and {collation = info.collation, collation_schema = info.collation_schema} or {})
  end
  if not info.is_array then return type_ end
  return pg.ARRAY(type_, {dimensions = info.dims > 1 and info.dims or nil})
end

return M
