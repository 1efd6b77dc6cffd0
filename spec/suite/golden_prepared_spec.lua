-- Every golden text is prepared by the real database (as EXPLAIN: planned, not run). What the database refuses is listed below with the
-- reason, and is refused in SQLAlchemy's own words as well; a row of the list that is taken after all fails.
local ag = require "argent"
local db = require "spec.support.db"
local t = require "spec.golden.tables"

local FILES = require "spec.golden.files"

--- Refused: file .. ": " .. case → why. The text is SQLAlchemy's own in each.
local REFUSED = require("spec.support.golden_refused")[db.dialect]

--- Files with nothing for this database.
local FOREIGN = db.postgresql and {sqlite = true, sqlite_forms = true}
  or {postgresql = true, types = true, arrays_json_forms = true, postgresql_forms = true}

--- Functions that the cases call and no database has.
local FUNCTIONS = {"f", "foo", "frob", "if", "is_ok", "foobar", "lala", "my_func", "rows", "a function", "UNREGISTERED_FN", "SomeFunction",
  "frobnicate", "same", "MyFunc", "concat", "a_function_with_a_very_long_name_that_goes_on_and_on_for"}

local function sqlite_fixture(engine)
  ag.event.listen(engine, "connect", function(raw)
    for _, name in ipairs(FUNCTIONS) do raw:create_function(name, -1, function() end) end
    raw:create_collation("C", function(a, b) return a < b and -1 or a > b and 1 or 0 end)
  end)
  local conn = engine:connect()
  conn:exec_driver_sql("ATTACH ':memory:' AS audit")
  return conn
end

local function postgresql_fixture(engine)
  local conn = engine:connect()
  for _, text in ipairs{
    "DROP SCHEMA IF EXISTS audit CASCADE", "CREATE SCHEMA audit", "DROP SCHEMA IF EXISTS my_schema CASCADE", "CREATE SCHEMA my_schema",
    "CREATE EXTENSION IF NOT EXISTS hstore", "CREATE EXTENSION IF NOT EXISTS citext", "CREATE SEQUENCE my_seq",
    "CREATE SEQUENCE id_seq", "CREATE SEQUENCE counter_seq",
    [[CREATE COLLATION "NOCASE" FROM "C"]], "CREATE TYPE kind AS ENUM ('a', 'b')", "CREATE TYPE audit.kind AS ENUM ('a', 'b')",
    "CREATE DOMAIN code AS text", "CREATE DOMAIN audit.code AS text", "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE FUNCTION frobnicate(int, int, text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2'",
    "CREATE FUNCTION MyFunc(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION my_schema.do_it(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION a_function_with_a_very_long_name_that_goes_on_and_on_for(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
  } do
    conn:exec_driver_sql(text)
  end
  t.postgresql_metadata:create_all(conn)
  return conn
end

local function fixture()
  local engine = db.engine{enable_from_linting = false}
  local conn = (db.postgresql and postgresql_fixture or sqlite_fixture)(engine)
  t.metadata:create_all(conn)
  conn:exec_driver_sql("CREATE TABLE t (a integer, b timestamp, id integer, one integer, two integer, three text, ycol integer, " ..
    "counter integer, data text, foo integer)")
  conn:exec_driver_sql("CREATE TABLE foo (x integer, y integer)")
  conn:exec_driver_sql("CREATE TABLE audit.foo (x integer)")
  conn:exec_driver_sql("CREATE TABLE x (a integer)")
  conn:exec_driver_sql("CREATE TABLE sd (id integer PRIMARY KEY, at timestamp, n integer)")
  conn:exec_driver_sql("CREATE TABLE sqt (id integer PRIMARY KEY, x integer)")
  conn:exec_driver_sql(("CREATE TABLE sdk (id %s PRIMARY KEY, x integer)"):format(db.postgresql and "uuid" or "text"))
  conn:exec_driver_sql("CREATE TABLE emp (id integer PRIMARY KEY)")
  conn:exec_driver_sql("CREATE TABLE events (id integer PRIMARY KEY)")
  if db.postgresql then conn:exec_driver_sql("CREATE UNIQUE INDEX ON users (name) WHERE active") end
  if db.postgresql then conn:exec_driver_sql("CREATE UNIQUE INDEX ON users (lower(name))") end
  return conn
end

describe("golden texts", function()
  local conn
  setup(function() conn = fixture() end)
  teardown(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  local function statement(case)
    local made = case[2]()
    return case.type and ag.select(made) or made
  end

  --- The database's answer to the statement: nil when it takes it, else its error.
  local function refusal(case)
    local compiled = statement(case):compile{dialect = db.dialect, render_postcompile = true}
    local values = {}
    for i = 1, #compiled.positional do values[i] = ag.null end
    local ok, e = pcall(conn.begin_nested, conn, function() conn:exec_driver_sql("EXPLAIN " .. compiled.string, values) end)
    if not ok and db.postgresql then -- a parameter whose type only the protocol tells
      ok, e = pcall(conn.begin_nested, conn, function() conn:execute(statement(case)) end)
    end
    if not ok then return (tostring(e.message or e):match("^[^\n]*")) end
  end

  for _, name in ipairs(FILES) do
    local cases = assert(loadfile("spec/golden/" .. name .. ".lua"))(ag, t)
    it("of " .. name .. " are prepared", function()
      local n = 0
      for _, case in ipairs(cases) do
        if case[db.dialect] then
          local key = name .. ": " .. case[1]
          local why = refusal(case)
          if REFUSED[key] then
            assert.is_not_nil(why, key .. " is in the list of refused texts, but is taken")
          elseif why then
            error(("%s: %s\n  %s"):format(key, why, case[db.dialect]))
          end
          n = n + 1
        end
      end
      assert.is_true(n > 0 or FOREIGN[name] == true)
    end)
  end
end)
