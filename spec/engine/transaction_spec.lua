local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("transactions", function()
  local engine
  before_each(function()
    engine = db.engine()
    engine:begin(function(conn) conn:exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)") end)
  end)
  after_each(db.cleanup)

  local function insert(conn, id)
    conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?)", {id})
  end
  local function ids()
    local conn <close> = engine:connect()
    return conn:exec_driver_sql("SELECT id FROM t ORDER BY id"):scalars():all()
  end

  it("begin with the first statement and end with commit or rollback", function()
    do
      local conn <close> = engine:connect()
      assert.is_false(conn:in_transaction())
      insert(conn, 1)
      assert.is_true(conn:in_transaction())
      conn:commit()
      assert.is_false(conn:in_transaction())
      insert(conn, 2)
      conn:rollback()
      insert(conn, 3)
    end
    assert.same({1}, ids())
  end)

  it("engine:begin(fn) commits when fn returns and gives what it returns", function()
    local a, b = engine:begin(function(conn)
      insert(conn, 1)
      return "x", nil
    end)
    assert.equal("x", a)
    assert.is_nil(b)
    assert.same({1}, ids())
    assert.equal(0, engine.pool:checkedout())
  end)

  it("engine:begin(fn) rolls back when fn raises, and raises the same value", function()
    local problem = {}
    local ok, e = pcall(engine.begin, engine, function(conn)
      insert(conn, 1)
      error(problem)
    end)
    assert.is_false(ok)
    assert.equal(problem, e)
    assert.same({}, ids())
    assert.equal(0, engine.pool:checkedout())
  end)

  it("engine:begin() gives a connection to commit", function()
    do
      local conn <close> = engine:begin()
      insert(conn, 1)
      conn:commit()
    end
    do
      local conn <close> = engine:begin()
      insert(conn, 2)
    end
    assert.same({1}, ids())
  end)

  it("a transaction handle that leaves its scope uncommitted is rolled back", function()
    local conn <close> = engine:connect()
    do
      local tx <close> = conn:begin()
      assert.is_true(tx.is_active)
      insert(conn, 1)
    end
    do
      local tx <close> = conn:begin()
      insert(conn, 2)
      tx:commit()
      assert.is_false(tx.is_active)
    end
    assert.same({2}, conn:exec_driver_sql("SELECT id FROM t"):scalars():all())
  end)

  it("raise when they are begun twice", function()
    local conn <close> = engine:connect()
    conn:begin()
    expect.raises("InvalidRequestError", "begin", conn.begin, conn)
    conn:rollback()
    insert(conn, 1)
    expect.raises("InvalidRequestError", "begin", conn.begin, conn)
  end)

  it("savepoints undo only what happened since", function()
    engine:begin(function(conn)
      insert(conn, 1)
      local ok = pcall(conn.begin_nested, conn, function()
        insert(conn, 2)
        insert(conn, 1)
      end)
      assert.is_false(ok)
      conn:begin_nested(function() insert(conn, 3) end)
      local sp = conn:begin_nested()
      assert.is_true(conn:in_nested_transaction())
      assert.equal(sp, conn:get_nested_transaction())
      insert(conn, 4)
      sp:rollback()
    end)
    assert.same({1, 3}, ids())
  end)

  it("savepoints nest", function()
    engine:begin(function(conn)
      conn:begin_nested(function()
        insert(conn, 1)
        pcall(conn.begin_nested, conn, function()
          insert(conn, 2)
          error("no")
        end)
        insert(conn, 3)
      end)
    end)
    assert.same({1, 3}, ids())
  end)

  it("handles are the same object wherever they are asked for", function()
    local conn <close> = engine:connect()
    local tx = conn:begin()
    assert.equal(tx, conn:get_transaction())
    assert.equal(conn, tx.connection)
    assert.is_false(tx.nested)
    tx:close()
    assert.is_nil(conn:get_transaction())
    assert.is_false(tx.is_active)
    tx:close()
  end)

  it("an error inside a block is what the caller sees, even when the rollback has nothing to do", function()
    local conn <close> = engine:connect()
    local ok, e = pcall(conn.begin, conn, function(c)
      c:get_transaction():rollback()
      error("mine", 0)
    end)
    assert.is_false(ok)
    assert.equal("mine", e)
  end)

  it("need functions where they are given something", function()
    local conn <close> = engine:connect()
    expect.raises("ArgumentError", {"Engine:begin", "number 5"}, engine.begin, engine, 5)
    expect.raises("ArgumentError", {"Connection:begin", "expected a function"}, conn.begin, conn, "x")
    expect.raises("ArgumentError", "Connection:begin_nested", conn.begin_nested, conn, {})
    expect.raises("ArgumentError", "Engine:run_in_transaction", engine.run_in_transaction, engine)
  end)

  it("of two phases are prepared, then committed", function()
    if not db.has.two_phase then
      local conn <close> = engine:connect()
      expect.raises("NotSupportedError", "two-phase", conn.begin_twophase, conn, "x1")
      return
    end
    local conn <close> = engine:connect()
    local tx = conn:begin_twophase("x1")
    assert.equal("x1", tx.xid)
    insert(conn, 1)
    tx:prepare()
    tx:commit()
    tx = conn:begin_twophase()
    insert(conn, 2)
    tx:prepare()
    local xid = tx.xid
    conn:close()
    local other <close> = engine:connect()
    local found = false
    for _, x in ipairs(other:recover_twophase()) do found = found or x == xid end
    if found then other:rollback_prepared(xid, {recover = true}) end
    assert.same({1}, ids())
  end)
end)

describe("run_in_transaction", function()
  after_each(db.cleanup)

  it("runs again when the database asks for it, and only then", function()
    local engine = db.engine()
    local runs = 0
    local value = engine:run_in_transaction(function(conn)
      runs = runs + 1
      if runs < 3 then
        local e = ag.exc.OperationalError("could not serialize")
        e.retryable = true
        error(e)
      end
      return conn:exec_driver_sql("SELECT 7"):scalar()
    end, {retries = 5, backoff = 0.001})
    assert.equal(7, value)
    assert.equal(3, runs)
    runs = 0
    assert.is_false(pcall(engine.run_in_transaction, engine, function()
      runs = runs + 1
      error("mine")
    end))
    assert.equal(1, runs)
  end)

  it("gives up after its retries, and never repeats a commit of unknown outcome", function()
    local engine = db.engine()
    local runs = 0
    local function failing(unknown)
      return function()
        runs = runs + 1
        local e = ag.exc.OperationalError("no")
        e.retryable, e.outcome_unknown = true, unknown
        error(e)
      end
    end
    expect.raises("OperationalError", "no", engine.run_in_transaction, engine, failing(), {retries = 2, backoff = 0})
    assert.equal(3, runs)
    runs = 0
    expect.raises("OperationalError", "no", engine.run_in_transaction, engine, failing(true), {retries = 2, backoff = 0})
    assert.equal(1, runs)
  end)

  it("repeats a real serialization failure", function()
    if not db.postgresql then pending("SQLite writers queue, they do not collide") return end
    local engine = db.engine{isolation_level = "SERIALIZABLE"}
    engine:begin(function(c)
      c:exec_driver_sql("CREATE TABLE n (v INTEGER)")
      c:exec_driver_sql("INSERT INTO n VALUES (0)")
    end)
    local runs = 0
    engine:run_in_transaction(function(conn)
      runs = runs + 1
      local v = conn:exec_driver_sql("SELECT v FROM n"):scalar()
      if runs == 1 then engine:begin(function(c) c:exec_driver_sql("UPDATE n SET v = v + 10") end) end
      conn:exec_driver_sql("UPDATE n SET v = $1", {v + 1})
    end)
    assert.equal(2, runs)
    local conn <close> = engine:connect()
    assert.equal(11, conn:exec_driver_sql("SELECT v FROM n"):scalar())
  end)
end)
