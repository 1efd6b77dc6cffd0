local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("exec_driver_sql", function()
  local engine, conn
  before_each(function()
    engine = db.engine()
    conn = engine:connect()
    conn:exec_driver_sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER)")
  end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  local function names()
    return conn:exec_driver_sql("SELECT name FROM people ORDER BY id"):scalars():all()
  end

  it("passes values in the order of the placeholders", function()
    local row = conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER) AS a, CAST(? AS TEXT) AS b", {7, "seven"}):one()
    assert.equal(7, row.a)
    assert.equal("seven", row.b)
  end)

  it("takes ag.null for NULL, and table.pack for lists with nil", function()
    local text = db.sql "SELECT CAST(? AS INTEGER) AS a, CAST(? AS INTEGER) AS b"
    assert.is_nil(conn:exec_driver_sql(text, {ag.null, 2}):one().a)
    local row = conn:exec_driver_sql(text, table.pack(1, nil)):one()
    assert.equal(1, row.a)
    assert.is_nil(row.b)
  end)

  it("runs once for each set of a list", function()
    local result = conn:exec_driver_sql(db.sql "INSERT INTO people (id, name, age) VALUES (?, ?, ?)",
      {{1, "ann", 30}, {2, "bob", ag.null}, {3, "cid", 5}})
    assert.equal(3, result.rowcount)
    assert.same({"ann", "bob", "cid"}, names())
  end)

  it("refuses sets of different length, sets that are no tables and values that are none", function()
    local insert = db.sql "INSERT INTO people (id, name) VALUES (?, ?)"
    expect.raises("ArgumentError", {"set 2", "1 parameters", "first has 2"}, conn.exec_driver_sql, conn, insert, {{1, "a"}, {2}})
    expect.raises("ArgumentError", {"set 2", "expected a table"}, conn.exec_driver_sql, conn, insert, {{1, "a"}, 5})
    expect.raises("ArgumentError", {"argument #2", "function"}, conn.exec_driver_sql, conn, insert, {1, print})
    expect.raises("ArgumentError", "argument #2", conn.exec_driver_sql, conn, insert, 5)
    expect.raises("ArgumentError", "a Connection", conn.exec_driver_sql, conn, insert, {1, conn})
    assert.same({}, names())
  end)

  it("raises when the number of values does not fit the text", function()
    expect.raises("Error", nil, conn.exec_driver_sql, conn, db.sql "SELECT CAST(? AS INTEGER), CAST(? AS INTEGER)", {1})
    conn:rollback()
  end)

  it("round-trips every kind of value", function()
    local cases = {
      {"BOOLEAN", true}, {"INTEGER", 2147483647}, {"BIGINT", math.mininteger}, {"DOUBLE PRECISION", 0.1},
      {"TEXT", "hé\u{1F600}"}, {"TEXT", ""},
    }
    for _, case in ipairs(cases) do
      local text = db.postgresql and ("SELECT CAST($1 AS %s) AS v"):format(case[1]) or "SELECT ? AS v"
      local v = conn:exec_driver_sql(text, {case[2]}):scalar()
      if case[2] == true and db.sqlite then assert.equal(1, v) else assert.equal(case[2], v) end
    end
  end)

  it("refuses text with a NUL byte or invalid UTF-8 before it is sent", function()
    expect.raises("Error", nil, conn.exec_driver_sql, conn, db.sql "SELECT CAST(? AS TEXT)", {"a\0b"})
    expect.raises("Error", nil, conn.exec_driver_sql, conn, db.sql "SELECT CAST(? AS TEXT)", {"\xff"})
    conn:rollback()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("needs a text", function()
    expect.raises("ArgumentError", {"argument #1", "Connection:exec_driver_sql", "expected a string"}, conn.exec_driver_sql, conn, 5)
    expect.raises("ArgumentError", "nil", conn.exec_driver_sql, conn)
    expect.raises("ArgumentError", "at most 3", conn.exec_driver_sql, conn, "SELECT 1", {}, {}, 1)
    expect.raises("ArgumentError", {"unknown option 'timeout'", "execution_options"}, conn.exec_driver_sql, conn, "SELECT 1", {},
      {timeout = 1})
  end)

  it("is not what execute() takes a string for", function()
    expect.raises("ObjectNotExecutableError", {"ag.text", "exec_driver_sql"}, conn.execute, conn, "SELECT 1")
    expect.raises("ObjectNotExecutableError", "nil", conn.execute, conn)
    expect.raises("ObjectNotExecutableError", "a table", conn.scalar, conn, {})
  end)
end)

describe("errors of the database", function()
  local conn
  before_each(function()
    conn = db.engine():connect()
    conn:exec_driver_sql("CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    conn:exec_driver_sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER CHECK (age >= 0), " ..
      "team INTEGER REFERENCES team (id))")
    conn:exec_driver_sql("INSERT INTO team VALUES (1, 'red')")
    conn:commit()
  end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  local function fails(class, text, params)
    local e = expect.raises(class, text:sub(1, 12), conn.exec_driver_sql, conn, db.sql(text), params)
    conn:rollback()
    return e
  end

  it("name class, SQLSTATE, table and column of a violated constraint", function()
    local e = fails("IntegrityError", "INSERT INTO team VALUES (2, 'red')")
    assert.equal("23505", e.sqlstate)
    assert.equal("team", e.table)
    assert.is_true(e:is(ag.exc.DBAPIError))
    assert.is_true(e:is(ag.exc.StatementError))
    assert.is_false(e:is(ag.exc.OperationalError))
    e = fails("IntegrityError", "INSERT INTO people (id) VALUES (1)")
    assert.equal("23502", e.sqlstate)
    assert.equal("name", e.column)
    e = fails("IntegrityError", "INSERT INTO people VALUES (1, 'ann', -1, NULL)")
    assert.equal("23514", e.sqlstate)
    e = fails("IntegrityError", "INSERT INTO people VALUES (1, 'ann', 1, 99)")
    assert.equal("23503", e.sqlstate)
  end)

  it("are ProgrammingErrors for bad SQL and missing tables", function()
    fails("ProgrammingError", "SELEKT 1")
    fails("ProgrammingError", "SELECT * FROM nowhere")
    fails("ProgrammingError", "SELECT nothing FROM people")
  end)

  it("carry statement and parameters", function()
    local e = fails("IntegrityError", "INSERT INTO team VALUES (?, ?)", {2, "red"})
    assert.equal(db.sql "INSERT INTO team VALUES (?, ?)", e.statement)
    assert.same({2, "red"}, e.params)
    local text = tostring(e)
    assert.truthy(text:find("IntegrityError: ", 1, true))
    assert.truthy(text:find("[SQL: INSERT INTO team", 1, true))
    assert.truthy(text:find("[parameters: ", 1, true))
    assert.is_string(e.orig)
    local _, direct = pcall(function() conn:exec_driver_sql("SELEKT") end)
    assert.truthy(tostring(direct):find("^[^\n]*execute_spec.lua:%d+: ProgrammingError"))
  end)

  it("hide parameters when told to", function()
    local engine = db.engine{hide_parameters = true}
    local c <close> = engine:connect()
    c:exec_driver_sql("CREATE TABLE hidden (id INTEGER PRIMARY KEY)")
    local e = expect.raises("IntegrityError", "hide_parameters", c.exec_driver_sql, c,
      db.sql "INSERT INTO hidden VALUES (?)", {{4711}, {4711}})
    assert.falsy(tostring(e):find("4711", 1, true))
    assert.is_nil(e.params)
  end)
end)

describe("deadlines", function()
  after_each(db.cleanup)

  it("end a statement that takes too long, and leave the connection usable", function()
    local conn <close> = db.engine():connect()
    local before = os.time()
    local e = expect.raises("OperationalError", nil, conn.exec_driver_sql, conn, db.slow, nil,
      {execution_options = {timeout = 0.1}})
    assert.equal("57014", e.sqlstate)
    assert.is_true(os.time() - before < 5)
    conn:rollback()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("hold for a connection and for an engine, and 0 lifts them", function()
    local engine = db.engine{timeout = 0.1}
    local conn <close> = engine:connect()
    expect.raises("OperationalError", nil, conn.exec_driver_sql, conn, db.slow)
    conn:rollback()
    assert.equal(1, conn:exec_driver_sql("SELECT 1", nil, {execution_options = {timeout = 0}}):scalar())
  end)
end)
