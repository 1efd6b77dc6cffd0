local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("a connection", function()
  local engine
  before_each(function() engine = db.engine() end)
  after_each(db.cleanup)

  it("comes from the engine and goes back when its scope ends", function()
    do
      local conn <close> = engine:connect()
      assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
      assert.equal(1, engine.pool:checkedout())
      assert.equal(engine, conn.engine)
    end
    assert.equal(0, engine.pool:checkedout())
  end)

  it("opens nothing before it is asked for", function()
    local fresh = db.engine()
    fresh:dispose()
    assert.equal(0, fresh.pool:stats().connects)
  end)

  it("goes back by close(), which may be called twice", function()
    local conn = engine:connect()
    assert.is_false(conn.closed)
    conn:close()
    conn:close()
    assert.is_true(conn.closed)
    expect.raises("ResourceClosedError", "closed", conn.exec_driver_sql, conn, "SELECT 1")
    expect.raises("ResourceClosedError", "closed", conn.commit, conn)
    expect.raises("ResourceClosedError", "closed", conn.begin, conn)
  end)

  it("that nobody holds any more goes back when it is collected", function()
    engine:connect():exec_driver_sql("SELECT 1")
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine.pool:checkedout())
  end)

  it("rolls back what was not committed when its scope ends", function()
    engine:begin(function(conn) conn:exec_driver_sql("CREATE TABLE t (id INTEGER)") end)
    do
      local conn <close> = engine:connect()
      conn:exec_driver_sql("INSERT INTO t VALUES (1)")
    end
    local conn <close> = engine:connect()
    assert.equal(0, conn:exec_driver_sql("SELECT count(*) FROM t"):scalar())
  end)

  it("has an info table that lives as long as the database connection", function()
    do
      local conn <close> = engine:connect()
      conn.info.token = "abc"
    end
    local conn <close> = engine:connect()
    assert.equal("abc", conn.info.token)
    conn:invalidate()
    assert.is_true(conn.invalidated)
  end)

  it("reconnects after invalidate(), with a new info table", function()
    if db.memory then pending("one shared connection in memory") return end
    local conn <close> = engine:connect()
    conn.info.token = "abc"
    conn:exec_driver_sql("SELECT 1")
    conn:rollback()
    conn:invalidate()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    assert.is_nil(conn.info.token)
  end)

  it("can leave the pool", function()
    if db.memory then pending("one shared connection in memory") return end
    local small = db.other_engine(engine, {pool_size = 1, max_overflow = 0})
    local conn <close> = small:connect()
    conn:detach()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    local other <close> = small:connect()
    assert.equal(1, other:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("shows the raw connection beneath while it has it", function()
    local conn = engine:connect()
    local raw = conn.connection
    assert.is_true(raw.is_valid)
    assert.equal("userdata", type(raw.driver_connection))
    conn:close()
    assert.is_false(raw.is_valid)
    expect.raises("ResourceClosedError", "closed", function() return raw.driver_connection end)
  end)

  it("says what it is", function()
    local conn = engine:connect()
    assert.truthy(tostring(conn):find("^Connection%("))
    conn:close()
    assert.truthy(tostring(conn):find("closed", 1, true))
  end)

  it("names the nearest attribute for an unknown one", function()
    local conn <close> = engine:connect()
    expect.raises("ArgumentError", {"exec_driver_sq'", "did you mean 'exec_driver_sql'"}, function() return conn.exec_driver_sq end)
    expect.raises("ArgumentError", "closed", function() conn.closed = true end)
  end)
end)

describe("isolation levels", function()
  after_each(db.cleanup)

  it("are set on the engine, on a connection, and asked for", function()
    local engine = db.engine{isolation_level = "serializable"}
    local conn <close> = engine:connect()
    assert.equal("SERIALIZABLE", conn:get_isolation_level())
    conn:rollback()
    conn:execution_options{isolation_level = "AUTOCOMMIT"}
    assert.equal("AUTOCOMMIT", conn:get_isolation_level())
    assert.equal("AUTOCOMMIT", conn:get_execution_options().isolation_level)
  end)

  it("are put back when the connection returns", function()
    local engine = db.engine()
    do
      local conn <close> = engine:connect()
      conn:execution_options{isolation_level = "AUTOCOMMIT"}
      conn:exec_driver_sql("SELECT 1")
    end
    local conn <close> = engine:connect()
    assert.not_equal("AUTOCOMMIT", conn:get_isolation_level())
  end)

  it("of unknown names are refused at once", function()
    expect.raises("ArgumentError", "CHAOS", db.engine, {isolation_level = "CHAOS"})
    local conn <close> = db.engine():connect()
    expect.raises("ArgumentError", "CHAOS", conn.execution_options, conn, {isolation_level = "CHAOS"})
  end)

  it("cannot be changed inside a transaction", function()
    local conn <close> = db.engine():connect()
    conn:begin()
    expect.raises("InvalidRequestError", "Transaction", conn.execution_options, conn, {isolation_level = "AUTOCOMMIT"})
  end)

  it("AUTOCOMMIT keeps every statement", function()
    local engine = db.engine()
    do
      local conn <close> = engine:connect()
      conn:execution_options{isolation_level = "AUTOCOMMIT"}
      conn:exec_driver_sql("CREATE TABLE kept (id INTEGER)")
      conn:exec_driver_sql("INSERT INTO kept VALUES (1)")
      conn:rollback()
    end
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT count(*) FROM kept"):scalar())
  end)
end)

describe("execution options", function()
  after_each(db.cleanup)

  it("add up from engine to connection", function()
    local engine = db.engine{execution_options = {timeout = 5, app = "web"}}
    local sub = engine:execution_options{logging_token = "t1"}
    local conn <close> = sub:connect()
    conn:execution_options{timeout = 2}
    local options = conn:get_execution_options()
    assert.equal(2, options.timeout)
    assert.equal("t1", options.logging_token)
    assert.equal("web", options.app)
    assert.equal(5, engine:get_execution_options().timeout)
    assert.is_nil(engine:get_execution_options().logging_token)
  end)

  it("share the pool of the engine they were made from", function()
    local engine = db.engine()
    local sub = engine:execution_options{logging_token = "t1"}
    assert.equal(engine.pool, sub.pool)
    local conn <close> = sub:connect()
    assert.equal(sub, conn.engine)
    assert.equal(1, engine.pool:checkedout())
  end)

  it("that are misspelt raise, those of the application do not", function()
    local conn <close> = db.engine():connect()
    expect.raises("ArgumentError", {"isolaton_level", "did you mean 'isolation_level'"}, conn.execution_options, conn,
      {isolaton_level = "AUTOCOMMIT"})
    conn:execution_options{tenant = 5}
    assert.equal(5, conn:get_execution_options().tenant)
  end)

  it("of the wrong type raise", function()
    local conn <close> = db.engine():connect()
    expect.raises("ArgumentError", {"timeout", "number >= 0"}, conn.execution_options, conn, {timeout = "5"})
    expect.raises("ArgumentError", {"stream_results", "true or false"}, conn.execution_options, conn, {stream_results = 1})
    expect.raises("ArgumentError", {"yield_per"}, conn.execution_options, conn, {yield_per = 0})
    expect.raises("ArgumentError", "table", conn.execution_options, conn, 5)
  end)
end)

describe("ag.Engine handles", function()
  after_each(db.cleanup)

  it("say what they are without the password", function()
    local engine = ag.create_engine("postgresql://app:secret@localhost/shop")
    assert.equal("Engine(postgresql://app:***@localhost/shop)", tostring(engine))
    assert.equal("postgresql", engine.name)
    assert.equal("secret", engine.url.password)
    assert.falsy(tostring(engine.url):find("secret", 1, true))
  end)

  it("know the server's version after the first connection", function()
    local engine = ag.create_engine(db.url())
    assert.is_nil(engine.server_version)
    engine:connect():close()
    assert.is_true(engine.server_version > 30000)
  end)

  it("dispose: idle connections close, new ones can be made", function()
    local engine = db.engine()
    engine:connect():close()
    local pool = engine.pool
    engine:dispose()
    assert.not_equal(pool, engine.pool)
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("give raw connections", function()
    local engine = db.engine()
    do
      local raw <close> = engine:raw_connection()
      assert.same({{5, "x"}}, raw:execute(db.sql("SELECT CAST(? AS INTEGER), CAST(? AS TEXT)"), {5, "x"}))
      assert.is_true(raw.server_version > 30000)
      raw.info.seen = true
      assert.is_true(raw.info.seen)
    end
    assert.equal(0, engine.pool:checkedout())
  end)
end)
