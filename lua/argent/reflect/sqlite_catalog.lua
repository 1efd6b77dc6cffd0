--- What SQLite's catalog holds, read once for all get_multi_* of one request: four queries a schema, however many tables it has.
local core = require "argent.core"

local M = {}

--- An identifier in double quotes.
---@param name string
---@return string
function M.quote(name) return '"' .. name:gsub('"', '""') .. '"' end

-- ── the stored text ──────────────────────────────────────────────────────────────────────────────────────────────────

local nothing = {column = {}, foreign_keys = {}, unique = {}, checks = {}, items = {}}

--- The parts of a CREATE text; empty where there is no text or it is none that SQLite's grammar has.
---@param sql string?
---@return table
function M.parse(sql)
  local parsed = type(sql) == "string" and core.sqlite_parse_create and core.sqlite_parse_create(sql)
  if not parsed then return nothing end
  parsed.column = {}
  for _, c in ipairs(parsed.columns or {}) do parsed.column[c.name] = c end
  for key, empty in pairs(nothing) do parsed[key] = parsed[key] or empty end
  return parsed
end

-- ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Above so many names the whole schema is read and what was not asked for left out.
local MAX_NAMES = 400
local system = {sqlite_master = true, sqlite_schema = true, sqlite_temp_master = true, sqlite_temp_schema = true}

--- The rows of the catalog that are asked for: SQL of a table (name, type, sql, tbl_name), and its parameters.
local function wanted(schema, o)
  local from = M.quote(schema) .. (schema == "temp" and ".sqlite_temp_master" or ".sqlite_master")
  local columns = "SELECT name, type, sql, tbl_name, rowid AS place FROM " .. from
  if not o.filter_names and not o.sqlite_include_internal then columns = columns .. " WHERE tbl_name NOT LIKE 'sqlite~_%' ESCAPE '~'" end
  if not o.filter_names or #o.filter_names > MAX_NAMES or #o.filter_names == 0 then return columns, {} end
  local params, marks = {}, {}
  for i, name in ipairs(o.filter_names) do
    params[i], marks[i] = name, "?"
    if system[name] then columns = columns .. (" UNION ALL SELECT '%s', 'table', NULL, '%s', 0"):format(name, name) end
  end
  return ("SELECT * FROM (%s) WHERE tbl_name%s IN (%s)"):format(columns, o.fold and " COLLATE NOCASE" or "", table.concat(marks, ", ")),
    params
end

local function rows(conn, sql, params) return conn:exec_driver_sql(sql, params):tuples() end

--- Tables and views, and the texts of indexes.
local function read_master(conn, schema, o, kinds)
  local found, texts, list = {}, {}, {}
  local from, params = wanted(schema, o)
  for _, name, type_, sql in rows(conn, "SELECT name, type, sql FROM (" .. from .. ") ORDER BY place", params) do
    if kinds[type_] then
      local t = {name = name, schema = schema, type = type_, sql = sql, columns = {}, foreign_keys = {},
        indexes = {}, real = {}}
      found[name] = t
      list[#list + 1] = t
    elseif type_ == "index" then
      texts[name] = sql
    end
  end
  return found, texts, list
end

local XINFO = [[SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden FROM (%s) AS m, pragma_table_xinfo(m.name, ?) AS x
WHERE m.type = '%s' ORDER BY m.place, x.cid]]

local function take_columns(found, result)
  for _, tab, name, type_, not_null, default, pk, hidden in result do
    local t = found[tab]
    if t then
      t.columns[#t.columns + 1] = {name = name, type = type_ or "", not_null = not_null ~= 0,
        default = default, pk = pk, hidden = hidden}
      t.real[name:lower()] = name
    end
  end
end

--- A view that refers to nothing, or a virtual table without its module, makes the whole query fail: then each is asked alone.
local function read_columns(conn, schema, snapshot, type_)
  local params = {table.unpack(snapshot.params)}
  params[#params + 1] = schema
  local ok, result = pcall(rows, conn, XINFO:format(snapshot.from, type_), params)
  if ok then return take_columns(snapshot.found, result) end
  for _, t in ipairs(snapshot.list) do
    if t.type == type_ then
      local one = "SELECT ? AS name, '" .. type_ .. "' AS type, 0 AS place"
      local fine, r = pcall(rows, conn, XINFO:format(one, type_), {t.name, schema})
      if fine then take_columns({[t.name] = t}, r)
      else
        t.broken = require "argent.exc".UnreflectableTableError("cannot read '" .. t.name .. "': " .. tostring(r))
      end
    end
  end
end

local KEYS = [[SELECT m.name, f.id, %s, f."from", %s, f.on_update, f.on_delete FROM (%s) AS m,
pragma_foreign_key_list(m.name, ?) AS f WHERE m.type = 'table' ORDER BY m.place, f.id, f.seq]]

--- A table that is not read with the others is asked for its name and its columns' as they were declared: a foreign key may write
--- them otherwise.
local function declared(schema)
  return ("coalesce((SELECT name FROM %s.%s WHERE type = 'table' AND name = f.\"table\" COLLATE NOCASE), f.\"table\")"):format(
    M.quote(schema), schema == "temp" and "sqlite_temp_master" or "sqlite_master"),
    ("coalesce((SELECT x.name FROM pragma_table_xinfo(f.\"table\", '%s') AS x WHERE x.name = f.\"to\" COLLATE NOCASE), f.\"to\")"):format(
      schema:gsub("'", "''"))
end

local function key_rows(conn, schema, snapshot, params, some)
  if some then -- a view that refers to nothing makes this one fail
    local name, to = declared(schema)
    local ok, found = pcall(rows, conn, KEYS:format(name, to, snapshot.from), params)
    if ok then return found end
  end
  return rows(conn, KEYS:format('f."table"', 'f."to"', snapshot.from), params)
end

local function read_keys(conn, schema, snapshot, some)
  local params = {table.unpack(snapshot.params)}
  params[#params + 1] = schema
  for _, tab, id, referred, from, to, on_update, on_delete in key_rows(conn, schema, snapshot, params, some) do
    local t = snapshot.found[tab]
    if t then
      local fk = t.foreign_keys[id + 1]
      if not fk then
        fk = {table = referred, from = {}, to = {}, on_update = on_update, on_delete = on_delete}
        t.foreign_keys[id + 1] = fk
      end
      fk.from[#fk.from + 1] = t.real[from:lower()] or from
      fk.to[#fk.from] = to
    end
  end
end

local INDEXES = [[SELECT m.name, l.name, l."unique", l.origin, l.partial, x.name, x."desc" FROM (%s) AS m,
pragma_index_list(m.name, ?) AS l, pragma_index_xinfo(l.name, ?) AS x WHERE m.type = 'table' AND x."key" ORDER BY m.place, l.seq, x.seqno]]

local function read_indexes(conn, schema, snapshot)
  local params = {table.unpack(snapshot.params)}
  params[#params + 1], params[#params + 2] = schema, schema
  for _, tab, name, unique, origin, partial, column, desc in rows(conn, INDEXES:format(snapshot.from), params) do
    local t = snapshot.found[tab]
    if t then
      local ix = t.indexes[#t.indexes]
      if not ix or ix.name ~= name then
        ix = {name = name, unique = unique ~= 0, origin = origin, partial = partial ~= 0, sql = snapshot.texts[name], columns = {}}
        t.indexes[#t.indexes + 1] = ix
      end
      ix.columns[#ix.columns + 1] = {name = column or core.null, desc = desc ~= 0}
    end
  end
end

--- One schema.
local function read_schema(conn, schema, o, kinds)
  local snapshot = {}
  snapshot.found, snapshot.texts, snapshot.list = read_master(conn, schema, o, kinds)
  snapshot.from, snapshot.params = wanted(schema, o)
  if not snapshot.list[1] then return snapshot end
  for type_ in pairs(kinds) do read_columns(conn, schema, snapshot, type_) end
  if kinds.table then
    read_keys(conn, schema, snapshot, o.filter_names ~= nil)
    read_indexes(conn, schema, snapshot)
  end
  return snapshot
end

-- ── the snapshot ─────────────────────────────────────────────────────────────────────────────────────────────────────

local function kinds_of(o)
  local kind = o.kind or 7
  return {table = kind & 1 ~= 0 or nil, view = kind & 2 ~= 0 or nil}
end

local function schemas_of(o)
  local scope = o.scope or 3
  if o.schema then return scope & (o.schema == "temp" and 3 or 1) ~= 0 and {o.schema} or {} end
  local out = {}
  if scope & 1 ~= 0 then out[1] = "main" end
  if scope & 2 ~= 0 then out[#out + 1] = "temp" end
  return out
end

--- The key of a table that a foreign key names without columns: those of its primary key, read when it is not at hand.
local function key_columns(conn, schema, name)
  local out = {}
  local sql = "SELECT name FROM pragma_table_xinfo(?, ?) WHERE pk > 0 ORDER BY pk"
  for column in conn:exec_driver_sql(sql, {name, schema}):scalars():rows() do out[#out + 1] = column end
  return out
end

local function finish(conn, o, found, tables)
  local lower = {}
  for name, t in pairs(found) do lower[name:lower()] = t end
  local snapshot = {tables = tables, find = function(name) return found[name] or lower[name:lower()] end}
  function snapshot.key(name)
    local t = snapshot.find(name)
    if not t then return key_columns(conn, o.schema or "main", name) end
    local cols, out = {}, {}
    for _, c in ipairs(t.columns) do
      if c.pk > 0 then cols[#cols + 1] = c end
    end
    table.sort(cols, function(a, b) return a.pk < b.pk end)
    for i, c in ipairs(cols) do out[i] = c.name end
    return out
  end
  return snapshot
end

local function key_of(o)
  local parts = {"sqlite", o.schema or "", tostring(o.kind), tostring(o.scope), tostring(o.fold)}
  for _, name in ipairs(o.filter_names or {}) do parts[#parts + 1] = name end
  return table.concat(parts, "\0")
end

--- Everything of the tables that are asked for; kept in the inspector's cache.
---@param conn argent.Connection
---@param o table the request
---@return table
function M.read(conn, o)
  local key = key_of(o)
  if o.cache[key] then return o.cache[key] end
  local found, tables = {}, {}
  for _, schema in ipairs(schemas_of(o)) do
    for _, t in ipairs(read_schema(conn, schema, o, kinds_of(o)).list) do
      if t.broken then o.unreflectable[t.name] = t.broken
      elseif not found[t.name] then
        t.parsed = M.parse(t.sql)
        found[t.name] = t
        tables[#tables + 1] = t
      end
    end
  end
  local snapshot = finish(conn, o, found, tables)
  o.cache[key] = snapshot
  return snapshot
end

return M
