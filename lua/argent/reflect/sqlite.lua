--- Reflection of SQLite: pragmas as tables, joined with the catalog, so that a whole schema takes four queries; and the stored CREATE
--- text, parsed, for what no pragma tells (names of constraints, checks, generated columns, the options of foreign keys).
local core = require "argent.core"
local catalog = require "argent.reflect.sqlite_catalog"
local types = require "argent.reflect.sqlite_types"

-- ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function list(conn, sql, ...)
  return conn:exec_driver_sql(sql, {...}):scalars():all()
end

local function master(schema) return catalog.quote(schema) .. (schema == "temp" and ".sqlite_temp_master" or ".sqlite_master") end

local function names(conn, schema, type_, o)
  local own = o.sqlite_include_internal and "" or " AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
  return list(conn, ("SELECT name FROM %s WHERE type = '%s'%s ORDER BY name"):format(master(schema), type_, own))
end

local function default_schema_name() return "main" end
local function get_schema_names(conn)
  return list(conn, "SELECT name FROM pragma_database_list WHERE name <> 'temp' ORDER BY seq")
end
local function get_table_names(conn, o) return names(conn, o.schema or "main", "table", o) end
local function get_view_names(conn, o) return names(conn, o.schema or "main", "view", o) end
local function get_temp_table_names(conn, o) return names(conn, "temp", "table", o) end
local function get_temp_view_names(conn, o) return names(conn, "temp", "view", o) end

local function has_schema(conn, name)
  return list(conn, "SELECT 1 FROM pragma_database_list WHERE name = ?", name)[1] ~= nil
end

local function has_table(conn, name, o)
  local where = "SELECT 1 FROM pragma_table_xinfo(?, ?) LIMIT 1"
  if o.schema then return has_schema(conn, o.schema) and list(conn, where, name, o.schema)[1] ~= nil end
  return list(conn, where, name, "main")[1] ~= nil or list(conn, where, name, "temp")[1] ~= nil
end

local function get_view_definition(conn, name, o)
  local sql = "SELECT sql FROM %s WHERE type = 'view' AND name = ?"
  for _, schema in ipairs(o.schema and {o.schema} or {"main", "temp"}) do
    local text = list(conn, sql:format(master(schema)), name)[1]
    if text ~= nil then return text end
  end
end

-- ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Virtual tables hide columns (1); 2 and 3 are generated ones, virtual and stored.
local HIDDEN, VIRTUAL, STORED = 1, 2, 3

local function column_options(parsed, key)
  local o = {sqlite_on_conflict_not_null = parsed.not_null_conflict}
  if key and key.autoincrement and key.columns[1]:lower() == parsed.name:lower() then o.sqlite_on_conflict_primary_key = key.conflict end
  return next(o) and o or nil
end

--- The text of a default, so that DDL can write it again: brackets that only look superfluous stay.
local function default_of(c, parsed)
  local text = c.default
  if text and parsed.default_brackets and text:find("^%s*['\"(]") and not parsed.default_literal then return "(" .. text .. ")" end
  return text
end

local function column(t, c)
  local parsed = t.parsed.column[c.name] or {}
  local declared = c.type
  if c.hidden == VIRTUAL or c.hidden == STORED then -- as SQLite before 3.45 gives it
    declared = declared:upper():gsub("%s*GENERATED ALWAYS$", "")
  end
  local out = {name = c.name, type = types.resolve(declared, parsed.collate), nullable = not c.not_null,
    default = default_of(c, parsed), primary_key = c.pk, dialect_options = parsed.name and column_options(parsed, t.parsed.primary_key)}
  if c.hidden == VIRTUAL or c.hidden == STORED then
    out.computed = {sqltext = parsed.generated or "", persisted = c.hidden == STORED}
  end
  return out
end

local function of_columns(t)
  local out = {}
  for _, c in ipairs(t.columns) do
    if c.hidden ~= HIDDEN then out[#out + 1] = column(t, c) end
  end
  return out
end

-- ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function conflict(word) return word and {sqlite_on_conflict = word} or nil end

local function of_primary_key(t)
  local cols = {}
  for _, c in ipairs(t.columns) do
    if c.pk > 0 then cols[#cols + 1] = c end
  end
  table.sort(cols, function(a, b) return a.pk < b.pk end)
  local out = {constrained_columns = {}}
  for i, c in ipairs(cols) do out.constrained_columns[i] = c.name end
  local parsed = t.parsed.primary_key
  if parsed and cols[1] then
    out.name = parsed.name
    if not parsed.autoincrement then out.dialect_options = conflict(parsed.conflict) end
  end
  return out
end

local function action(word) return word and word ~= "NO ACTION" and word or nil end

local function fk_options(fk, parsed)
  return {ondelete = action(fk.on_delete), onupdate = action(fk.on_update), deferrable = parsed.deferrable,
    initially = parsed.initially, match = parsed.match}
end

--- Foreign keys in the order of the text. The pragma numbers them from its end.
local function of_foreign_keys(t, snapshot, o)
  local out = {}
  local n = #t.foreign_keys
  for i = n, 1, -1 do
    local fk = t.foreign_keys[i]
    local parsed = #t.parsed.foreign_keys == n and t.parsed.foreign_keys[n + 1 - i] or {}
    local there = snapshot.find(fk.table)
    local referred = {}
    for k, name in pairs(fk.to) do referred[k] = there and there.real[name:lower()] or name end
    if #referred < #fk.from then referred = snapshot.key(fk.table) end
    out[#out + 1] = {name = parsed.name, constrained_columns = fk.from, referred_schema = o.schema,
      referred_table = there and there.name or fk.table, referred_columns = referred, options = fk_options(fk, parsed)}
  end
  return out
end

local function by_name(a, b)
  if a.name and b.name and a.name ~= b.name then return a.name < b.name end
  if (a.name == nil) ~= (b.name == nil) then return b.name == nil end
  return a.position < b.position
end

local function sorted(items)
  for i, item in ipairs(items) do item.position = i end
  table.sort(items, by_name)
  for _, item in ipairs(items) do item.position = nil end
  return items
end

local function of_unique_constraints(t)
  local out = {}
  for _, u in ipairs(t.parsed.unique) do
    local cols = {}
    for i, name in ipairs(u.columns) do cols[i] = t.real[name:lower()] or name end
    out[#out + 1] = {name = u.name, column_names = cols, dialect_options = conflict(u.conflict)}
  end
  return out
end

local function of_check_constraints(t)
  local out = {}
  for _, c in ipairs(t.parsed.checks) do out[#out + 1] = {name = c.name, sqltext = c.sqltext} end
  return sorted(out)
end

local function of_table_options(t)
  local p = t.parsed
  local out = {sqlite_strict = p.strict, sqlite_autoincrement = p.primary_key and p.primary_key.autoincrement}
  if p.without_rowid then out.sqlite_with_rowid = false end
  return out
end

-- ── indexes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- An index: columns by name; items with an expression or a collation of their own as text.
local function index(ix)
  local out = {name = ix.name, column_names = {}, unique = ix.unique, dialect_options = {}}
  local parsed = ix.sql and catalog.parse(ix.sql) or {items = {}}
  local texts = false
  for i, c in ipairs(ix.columns) do
    local item = parsed.items[i] or {}
    local own = c.name == core.null or item.collate ~= nil
    out.column_names[i] = own and core.null or c.name
    texts = texts or own
    if c.desc and not own then
      out.column_sorting = out.column_sorting or {}
      out.column_sorting[c.name] = {"desc"}
    end
  end
  if texts then
    out.expressions = {}
    for i, c in ipairs(ix.columns) do out.expressions[i] = out.column_names[i] ~= core.null and c.name or (parsed.items[i] or {}).text end
    if not parsed.items[1] then -- a text that is not understood
      require "argent.warn"(("Skipped reflection of expression-based index %s"):format(ix.name))
      return nil
    end
  end
  if ix.partial and parsed.where then out.dialect_options.sqlite_where = parsed.where end
  return out
end

--- Those that SQLite makes of keys and unique constraints are left out, unless they are asked for.
local function of_indexes(t, _, o)
  local out = {}
  for _, ix in ipairs(t.indexes) do
    if ix.origin == "c" or o.include_auto_indexes then out[#out + 1] = index(ix) end
  end
  table.sort(out, function(a, b) return a.name < b.name end)
  return out
end

-- ── get_multi_* ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- The functions of the contract in argent.reflect. reflection_options: options of tables that concern reading.
local sqlite = {inspector_options = {get_indexes = {include_auto_indexes = "boolean"}, get_multi_indexes = {include_auto_indexes = "boolean"}},
  reflection_options = {sqlite_include_internal = true},
  default_schema_name = default_schema_name, get_schema_names = get_schema_names, get_table_names = get_table_names,
  get_view_names = get_view_names, get_temp_table_names = get_temp_table_names,
  get_temp_view_names = get_temp_view_names, has_schema = has_schema, has_table = has_table,
  get_view_definition = get_view_definition}

--- The name under which a table was asked for, or nil. One table alone is found as SQLite finds it: ASCII letters in any case.
local function asked(name, o)
  if not o.names or o.names[name] then return name end
  if not o.fold then return nil end
  for _, other in ipairs(o.filter_names) do
    if other:lower() == name:lower() then return other end
  end
end

local function multi(what, fn)
  sqlite["get_multi_" .. what] = function(conn, o)
    local snapshot = catalog.read(conn, o)
    local out = {}
    for _, t in ipairs(snapshot.tables) do
      local name = asked(t.name, o)
      if name then out[name] = fn(t, snapshot, o) end
    end
    return out
  end
end

multi("columns", of_columns)
multi("pk_constraint", of_primary_key)
multi("foreign_keys", of_foreign_keys)
multi("indexes", of_indexes)
multi("unique_constraints", of_unique_constraints)
multi("check_constraints", of_check_constraints)
multi("table_options", of_table_options)

return sqlite
