--- Every golden DDL text is executed on the real engine: what it needs is made before, and all of it is undone afterwards.
local ag = require "argent"
local db = require "spec.support.db"
local t = require "spec.golden.tables"

--- What this server cannot do, by the text that would be executed.
local function impossible(sql)
  if sql:find("TABLESPACE", 1, true) and not sql:find("pg_default", 1, true) then return "a tablespace of its own" end
  if sql:find("hstore", 1, true) or sql:find("HSTORE", 1, true) or sql:find("CITEXT", 1, true) then return "an extension" end
  if sql:find("VIRTUAL", 1, true) and db.postgresql then return "virtual columns (PostgreSQL 18)" end
  if db.sqlite and sql:match("^%w+ SCHEMA") then return "schemas" end
  if db.sqlite and sql:find("UNIQUE .* DEFERRABLE") then return "UNIQUE constraints that are deferrable" end
  if db.sqlite and sql:find("INDEX.* NULLS ") then return "NULLS LAST in indexes" end
  if db.postgresql and sql:find("IDENTITY NULL", 1, true) then return "an identity column that may be NULL: the server refuses it" end
  if sql:find("CHECK .* DEFERRABLE") then return "CHECK constraints that are deferrable" end
  if sql:find("GLOBAL", 1, true) and db.sqlite then return "GLOBAL tables" end
  if sql:find("ON COMMIT", 1, true) and not sql:find("TEMPORARY", 1, true) then return "ON COMMIT: only for temporary tables" end
  if sql:find("gin (a text_ops)", 1, true) then return "the extension btree_gin" end
  if sql:find("EXCLUDE USING gist (r WITH &&, id WITH =)", 1, true) then return "the extension btree_gist" end
end

local function quoted(name) return '"' .. name:gsub('"', '""') .. '"' end

--- Schemas named in the statement: attached databases on SQLite.
local function make_schemas(conn, names)
  for name in pairs(names) do
    if db.sqlite then conn:exec_driver_sql("ATTACH ':memory:' AS " .. quoted(name))
    else conn:exec_driver_sql("CREATE SCHEMA IF NOT EXISTS " .. quoted(name)) end
  end
end

local function schemas_of(metadata, out)
  for _, tab in pairs(metadata.tables) do
    if tab.schema then out[tab.schema] = true end
    for _, c in ipairs(tab.c) do
      local ty = c.type
      if ty.class_name == "Enum" and ty.schema then out[ty.schema] = true end
    end
  end
  return out
end

--- The tables that it refers to, itself left out.
local function referred(tab, list, seen)
  seen[tab] = true
  for _, fk in ipairs(tab.foreign_keys) do
    local other = fk.column.table
    if not seen[other] then
      list[#list + 1] = other
      referred(other, list, seen)
    end
  end
  return list
end

--- Before CREATE TABLE t: the tables it refers to, its types and sequences, its parents.
local function around(conn, tab, sql)
  local others = referred(tab, {}, {})
  tab.metadata:create_all(conn, {tables = others})
  for name in sql:gmatch("nextval%('([^']*)'%)") do
    local schema = name:match("^(.*)%.")
    if schema then conn:exec_driver_sql("CREATE SCHEMA " .. schema) end
    conn:exec_driver_sql("CREATE SEQUENCE IF NOT EXISTS " .. name)
  end
  local parents = sql:match("INHERITS %(([^)]*)%)")
  for name in (parents or ""):gmatch("[^, ]+") do conn:exec_driver_sql("CREATE TABLE " .. name .. " (x integer)") end
  if db.postgresql then
    for _, c in ipairs(tab.c) do
      local ty = c.type
      if ty.class_name == "Enum" and ty.name and ty.native then
        conn:execute(ag.postgresql.CreateType(ty, {schema = ty.schema}))
      elseif ty.class_name == "DOMAIN" then
        conn:execute(ag.postgresql.CreateType(ty))
      end
    end
  end
end

--- Make what the element needs. first: the words of its text.
local function prepare(conn, element, sql)
  local tab = element.table
  local schemas = tab and schemas_of(tab.metadata, {}) or {}
  local sequence = sql:match("^%w+ SEQUENCE") and element.element
  if sequence and sequence.schema then schemas[sequence.schema] = true end
  local of_type = sql:match("^%w+ TYPE [%w ]-([%w_\"]+)%.") or sql:match("^%w+ DOMAIN [%w ]-([%w_\"]+)%.")
  if of_type then schemas[of_type:gsub('"', "")] = true end
  make_schemas(conn, schemas)
  if sql:match("^CREATE[%u ]* TABLE [^(]*%(") then return around(conn, tab, sql) end
  if sql:match("^CREATE[%u ]* VIEW") or sql:match("^CREATE[%u ]* TABLE") then return t.metadata:create_all(conn, {tables = {t.users, t.orders,
    t.addresses}}) end
  if sql:match("^DROP[%u ]* VIEW") then
    t.metadata:create_all(conn, {tables = {t.users}})
    conn:execute(require "argent.core".schema_data(tab)._create_ddl)
  elseif sql:match("^DROP SCHEMA") then
    conn:exec_driver_sql("CREATE SCHEMA " .. sql:gsub("^DROP SCHEMA ", ""):gsub("^IF EXISTS ", ""):gsub(" CASCADE$", ""))
  elseif sql:match("^DROP SEQUENCE") then
    conn:execute(ag.CreateSequence(sequence))
  elseif sql:match("^DROP TYPE") then
    conn:exec_driver_sql("CREATE TYPE e AS ENUM ('a')")
  elseif sql:match("^DROP DOMAIN") then
    conn:exec_driver_sql("CREATE DOMAIN d AS integer")
  elseif tab then
    around(conn, tab, sql)
    conn:execute(ag.CreateTable(tab))
    if sql:find(" DROP CONSTRAINT ", 1, true) and not sql:find("IF EXISTS", 1, true) then
      ag.try(conn.execute, conn, ag.AddConstraint(element.element)) -- unless CREATE TABLE has made it
    end
    if sql:match("^DROP INDEX") then
      local concurrently = sql:find("CONCURRENTLY", 1, true)
      conn:exec_driver_sql((ag.CreateIndex(element.element):compile{dialect = db.dialect}.string:gsub("CONCURRENTLY ",
        concurrently and "" or "CONCURRENTLY ")))
    end
  end
end

local function run(engine, case, sql)
  local conn <close> = engine:connect()
  conn:execution_options{isolation_level = "AUTOCOMMIT"}
  if db.postgresql then
    conn:exec_driver_sql("DISCARD ALL")
    for _, s in ipairs(conn:scalars(ag.text "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'"):all()) do
      conn:exec_driver_sql("DROP SCHEMA " .. quoted(s) .. " CASCADE")
    end
    conn:exec_driver_sql("CREATE SCHEMA public")
  end
  local element = case[2]()
  prepare(conn, element, sql)
  conn:execute(element)
end

for _, file in ipairs{"ddl", "schema", "ddl_options", "ddl_forms"} do
  describe("golden DDL executed: " .. file, function()
    local engine
    setup(function() if db.postgresql then engine = db.engine() end end)
    before_each(function() if db.sqlite then engine = db.engine() end end)
    after_each(function() if db.sqlite then db.cleanup() end end)
    teardown(db.cleanup)
    for _, case in ipairs(assert(loadfile("spec/golden/" .. file .. ".lua"))(ag, t)) do
      local sql = case[db.dialect]
      if sql and case[1]:sub(1, 5) ~= "type " then
        it(case[1], function()
          local why = impossible(sql)
          if why then return pending(why) end
          run(engine, case, sql)
        end)
      end
    end
  end)
end
