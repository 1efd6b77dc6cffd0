local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"
local loops = require "spec.support.loops"

--- One program, whatever it runs under: it connects, writes in a transaction, reads by several coroutines at once, streams,
--- listens to events that query, and meets a deadline.
local function program(loop, engine)
  local log = {}
  loop.run(function()
    engine:begin(function(conn)
      conn:exec_driver_sql("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")
      conn:exec_driver_sql(db.sql "INSERT INTO item VALUES (?, ?)", {{1, "a"}, {2, "b"}, {3, "c"}})
    end)
  end)
  loop.run(function()
    local conn <close> = engine:connect()
    for row in conn:exec_driver_sql("SELECT name FROM item ORDER BY id", nil, {execution_options = {yield_per = 1}}):rows() do
      log[#log + 1] = row.name
    end
  end)
  local seen = 0
  ag.event.listen(engine, "before_cursor_execute", function(conn)
    if seen == 0 then
      seen = 1
      conn:exec_driver_sql("SELECT 1")
    end
  end)
  loop.run(function()
    local conn <close> = engine:connect()
    log[#log + 1] = conn:exec_driver_sql("SELECT count(*) FROM item"):scalar()
    local ok, e = pcall(conn.exec_driver_sql, conn, db.slow, nil, {execution_options = {timeout = 0.05}})
    log[#log + 1] = not ok and e.sqlstate
    conn:rollback()
    log[#log + 1] = conn:exec_driver_sql("SELECT name FROM item WHERE id = 2"):scalar()
  end)
  return log
end

for _, loop in ipairs(loops) do
  describe("under " .. loop.name, function()
    after_each(db.cleanup)

    it("the same program gives the same answers", function()
      local engine = db.engine{wait = loop.hook}
      assert.same({"a", "b", "c", 3, "57014", "b"}, program(loop, engine))
      assert.equal(0, engine.pool:checkedout())
    end)

    it("connecting fails with an error, not with a hang", function()
      local url = db.postgresql and "postgresql://nobody@/nothing?host=/nonexistent" or "sqlite:////nonexistent/folder/x.db"
      local engine = ag.create_engine(url, {wait = loop.hook})
      loop.run(function() expect.raises("OperationalError", nil, engine.connect, engine) end)
    end)

    it("run_in_transaction waits between its attempts", function()
      local engine = db.engine{wait = loop.hook}
      local runs = 0
      loop.run(function()
        engine:run_in_transaction(function()
          runs = runs + 1
          if runs < 3 then
            local e = ag.exc.OperationalError("again")
            e.retryable = true
            error(e)
          end
        end, {backoff = 0.001})
      end)
      assert.equal(3, runs)
    end)

    it("writers take turns", function()
      if not db.shared then pending("one shared connection in memory") return end
      if not loop.hook then pending("blocking: one at a time") return end
      local engine = db.engine{wait = loop.hook}
      local work = {}
      loop.run(function()
        engine:begin(function(c)
          c:exec_driver_sql("CREATE TABLE n (v INTEGER)")
          c:exec_driver_sql("INSERT INTO n VALUES (0)")
        end)
      end)
      for i = 1, 10 do
        work[i] = function()
          engine:begin(function(c)
            c:exec_driver_sql("UPDATE n SET v = v + 1")
            engine:_sleep(0.002)
            c:exec_driver_sql("UPDATE n SET v = v + 1")
          end)
        end
      end
      loop.run(table.unpack(work))
      loop.run(function()
        local conn <close> = engine:connect()
        assert.equal(20, conn:exec_driver_sql("SELECT v FROM n"):scalar())
      end)
    end)

    it("50 coroutines share a pool of 5", function()
      if not loop.hook then pending("blocking: one at a time") return end
      if not db.shared then pending("one shared connection in memory") return end
      local engine = db.engine{wait = loop.hook, pool_size = 5, max_overflow = 0}
      local done, most = 0, 0
      local work = {}
      for i = 1, 50 do
        work[i] = function()
          local conn <close> = engine:connect()
          most = math.max(most, engine.pool:checkedout())
          local text = db.postgresql and "SELECT CAST($1 AS INTEGER) FROM pg_sleep(0.005)" or "SELECT ?"
          assert.equal(i, conn:exec_driver_sql(text, {i}):scalar())
          engine:_sleep(0.002)
          conn:commit()
          done = done + 1
        end
      end
      loop.run(table.unpack(work))
      assert.equal(50, done)
      assert.equal(5, most)
      assert.equal(0, engine.pool:checkedout())
      assert.equal(0, engine.pool:stats().waiting)
    end)

    it("waiting for a connection ends with the pool's timeout", function()
      if not loop.hook or not db.shared then pending("nobody else could give one back") return end
      local engine = db.engine{wait = loop.hook, pool_size = 1, max_overflow = 0, pool_timeout = 0.05}
      loop.run(function()
        local _ <close> = engine:connect()
        local e = expect.raises("TimeoutError", "wait_spec.lua", engine.connect, engine)
        assert.truthy(tostring(e):find("Held by", 1, true))
      end)
    end)
  end)
end

describe("coroutines that end early", function()
  after_each(db.cleanup)

  --- A hook that hands every wait to whoever resumes the coroutine.
  local manual = {
    wait = function(fd, mode, deadline) coroutine.yield("wait", fd, mode, deadline) end,
    park = function() coroutine.yield("park") end,
    wake = function() end,
  }

  local function make()
    local engine = db.engine{wait = manual}
    engine:begin(function(conn) conn:exec_driver_sql("CREATE TABLE t (id INTEGER)") end)
    return engine
  end

  local function count(engine)
    local conn <close> = engine:connect()
    return conn:exec_driver_sql("SELECT count(*) FROM t"):scalar()
  end

  local function in_transaction(engine, close)
    return coroutine.create(function()
      local conn = engine:connect()
      local _ <close> = close and conn or nil
      conn:exec_driver_sql("INSERT INTO t VALUES (1)")
      while true do coroutine.yield("idle") end
    end)
  end

  local function run_until(co, what)
    for _ = 1, 10000 do
      local ok, got = coroutine.resume(co)
      assert(ok, got)
      if got == what then return end
    end
    error("never " .. what)
  end

  it("by coroutine.close give their connection back, rolled back", function()
    local engine = make()
    local co = in_transaction(engine, true)
    run_until(co, "idle")
    assert.equal(1, engine.pool:checkedout())
    assert(coroutine.close(co))
    assert.equal(0, engine.pool:checkedout())
    assert.equal(0, count(engine))
  end)

  it("by being dropped give it back when they are collected", function()
    local engine = make()
    local co = in_transaction(engine, true)
    run_until(co, "idle")
    co = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine.pool:checkedout())
    assert.equal(0, count(engine))
  end)

  it("without a <close> too", function()
    local engine = make()
    local co = in_transaction(engine, false)
    run_until(co, "idle")
    co = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine.pool:checkedout())
    assert.equal(0, count(engine))
  end)

  it("in the middle of a statement cancel it", function()
    if not db.postgresql then pending("SQLite statements do not wait") return end
    local engine = make()
    for _, drop in ipairs{true, false} do
      local conn
      local co = coroutine.create(function()
        conn = engine:connect()
        conn:exec_driver_sql("INSERT INTO t VALUES (1)")
        local c <close> = conn
        conn = nil
        coroutine.yield("before")
        c:exec_driver_sql("SELECT pg_sleep(20)")
      end)
      run_until(co, "before")
      assert(coroutine.resume(co))
      assert.equal("suspended", coroutine.status(co))
      if drop then co = nil else coroutine.close(co) end -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.equal(0, engine.pool:checkedout())
      local before = os.time()
      assert.equal(0, count(engine))
      assert.is_true(os.time() - before < 5)
    end
  end)

  it("while connecting leave nothing behind", function()
    if not db.postgresql then pending("SQLite does not wait to connect") return end
    local engine = db.engine{wait = manual}
    local co = coroutine.create(function()
      local conn <close> = engine:connect()
      conn:exec_driver_sql("SELECT 1")
    end)
    engine:dispose()
    assert(coroutine.resume(co))
    coroutine.close(co)
    assert.equal(0, engine.pool:checkedout())
    assert.equal(0, engine.pool:stats().waiting)
  end)
end)

describe("one connection, two coroutines", function()
  after_each(db.cleanup)

  it("the second one is told about the first", function()
    if not db.postgresql then pending("SQLite statements do not wait") return end
    local engine = db.engine{wait = require "argent.wait.cqueues"}
    local loop = require("cqueues").new()
    local e
    loop:wrap(function()
      local conn <close> = engine:connect()
      loop:wrap(function() e = select(2, pcall(conn.exec_driver_sql, conn, "SELECT 2")) end)
      assert.equal(1, conn:exec_driver_sql("SELECT 1 FROM pg_sleep(0.05)"):scalar())
    end)
    assert(loop:loop())
    assert.is_true(e:is(ag.exc.InvalidRequestError))
  end)
end)

describe("a wait hook", function()
  it("must have its functions", function()
    expect.raises("ArgumentError", {"option 'wait'", "number"}, ag.create_engine, "sqlite://", {wait = 5})
    expect.raises("ArgumentError", "no function 'park'", ag.create_engine, "sqlite://", {wait = {wait = print}})
  end)

  it("that answers false is not used: the engine polls", function()
    local asked = 0
    local hook = {wait = function() asked = asked + 1 return false end, park = function() return false end, wake = function() end}
    local engine = db.engine{wait = hook}
    local co = coroutine.wrap(function()
      local conn <close> = engine:connect()
      return conn:exec_driver_sql("SELECT 5"):scalar()
    end)
    assert.equal(5, co())
    if db.postgresql then assert.is_true(asked > 0) end
    db.cleanup()
  end)

  it("that raises abandons the operation and gives the connection back", function()
    if not db.postgresql then pending("SQLite statements do not wait") return end
    local broken = false
    local hook = {wait = function() if broken then error("loop is gone") end return false end, park = function() end, wake = function() end}
    local engine = db.engine{wait = hook}
    local co = coroutine.wrap(function()
      local conn <close> = engine:connect()
      broken = true
      return pcall(conn.exec_driver_sql, conn, "SELECT pg_sleep(0.2)")
    end)
    local ok, e = co()
    assert.is_false(ok)
    assert.truthy(tostring(e):find("loop is gone", 1, true))
    assert.equal(0, engine.pool:checkedout())
    broken = false
    db.cleanup()
  end)
end)
