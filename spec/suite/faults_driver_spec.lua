--- The database fails at the k-th call, as an error or as a lost connection (driver "…+fault"): what the program is told, and
--- that engine and pool go on afterwards without lending anything dirty.
local ag = require "argent"
local db = require "spec.support.db"

describe("a database that fails", function()
  local plain, url

  before_each(function()
    plain = db.engine()
    url = plain.url
  end)

  after_each(db.cleanup)

  --- An engine on the same database whose driver follows the plan. In memory it has a database of its own, made before the
  --- plan begins to count: its points are those of statements that come later.
  local function faulty(plan, options)
    local engine = ag.create_engine(url:set{drivername = url:get_backend_name() .. "+fault"}
      :update_query_dict{fault = plan}, options)
    finally(function() engine:dispose() end)
    local maker = db.memory and engine or plain
    maker:begin(function(conn)
      conn:exec_driver_sql("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, s TEXT)")
      conn:exec_driver_sql("DELETE FROM t")
    end)
    return engine
  end

  local function put(conn, id) return conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, 'x')", {id}) end

  local function ids(engine)
    local conn <close> = engine:connect()
    return table.concat(conn:exec_driver_sql("SELECT id FROM t ORDER BY id"):scalars():all(), " ")
  end

  it("wraps the dialect's own driver", function()
    local engine = faulty "insert:100:error"
    assert.equal(url:get_backend_name(), engine.name)
    engine:begin(function(conn) put(conn, 1) end)
    assert.equal("1", ids(engine))
  end)

  it("refuses what is no plan", function()
    local engine = ag.create_engine(url:set{drivername = url:get_backend_name() .. "+fault"}
      :update_query_dict{fault = "nonsense"})
    local ok, e = ag.try(engine.connect, engine)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.ArgumentError))
    engine:dispose()
  end)

  it("reports an error of a statement; the connection goes on after a rollback", function()
    local engine = faulty "insert:2:error=40001"
    do
      local conn <close> = engine:connect()
      put(conn, 1)
      local ok, e = ag.try(put, conn, 2)
      assert.is_nil(ok)
      assert.is_true(e:is(ag.exc.DBAPIError))
      assert.equal("40001", e.sqlstate)
      conn:rollback()
      put(conn, 3)
      conn:commit()
    end
    assert.equal("3", ids(engine))
  end)

  it("repeats what the database asked to repeat", function()
    local engine = faulty "insert:2:error=40001"
    local runs = 0
    engine:run_in_transaction(function(conn)
      runs = runs + 1
      put(conn, 1)
      put(conn, 2)
    end, {retries = 2, backoff = 0})
    assert.equal(2, runs)
    assert.equal("1 2", ids(engine))
  end)

  it("reports a failed commit, and keeps nothing of it", function()
    local engine = faulty(db.memory and "commit:2:error" or "commit:1:error")
    local ok, e = ag.try(engine.begin, engine, function(conn) put(conn, 1) end)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.DBAPIError))
    assert.equal("", ids(engine))
    engine:begin(function(conn) put(conn, 2) end)
    assert.equal("2", ids(engine))
  end)

  it("loses its connection before a statement: told so, nothing kept, the next one is new", function()
    if db.memory then pending "a database in memory goes with its connection" end
    local engine = faulty "insert:2:lost"
    local conn <close> = engine:connect()
    put(conn, 1)
    local ok, e = ag.try(put, conn, 2)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.OperationalError))
    assert.is_true(e.connection_invalidated)
    ok, e = ag.try(put, conn, 3)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.PendingRollbackError))
    conn:rollback()
    put(conn, 4)
    conn:commit()
    assert.equal("4", ids(engine))
  end)

  it("loses its connection while committing: the outcome is said to be unknown", function()
    if db.memory then pending "a database in memory goes with its connection" end
    local engine = faulty "commit:1:lost-after"
    local ok, e = ag.try(engine.begin, engine, function(conn) put(conn, 1) end)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.OperationalError))
    assert.is_true(e.outcome_unknown)
    assert.equal("1", ids(engine))
  end)

  it("cannot be reached at first, then can", function()
    if db.memory then pending "a database in memory goes with its connection" end
    local engine = faulty "connect:1:lost"
    local ok, e = ag.try(engine.connect, engine)
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.OperationalError))
    assert.equal("", ids(engine))
  end)

  -- Every call in turn: a piece of work of many calls is run with its k-th failing, for all k.
  local function work(engine)
    engine:begin(function(conn)
      put(conn, 1)
      ag.try(conn.begin_nested, conn, function()
        put(conn, 2)
        error "undone"
      end)
      conn:begin_nested(function() put(conn, 3) end)
      conn:exec_driver_sql("UPDATE t SET s = 'y'")
      local n = 0
      local streaming = conn:execution_options{yield_per = 1}
      for _ in streaming:exec_driver_sql("SELECT id FROM t ORDER BY id"):rows() do n = n + 1 end
      assert(n == 2, "rows of a savepoint that was undone")
      conn:exec_driver_sql("DELETE FROM t WHERE id = 1")
    end)
  end

  local points = {"statement", "begin", "savepoint", "rollback", "release", "insert", "update", "delete", "select", "commit",
    "fetch"}
  for _, kind in ipairs{"error", "error=40001", "lost", "lost-after"} do
    it("leaves engine and pool usable whatever call ends in '" .. kind .. "'", function()
      if db.memory then pending "looks at the tables by a second connection" end
      local tried = 0
      for _, point in ipairs(points) do
        for k = 1, 30 do
          local engine = faulty(("%s:%d:%s"):format(point, k, kind), {pool_size = 1, max_overflow = 0})
          local what = ("%s %d %s: "):format(point, k, kind)
          local ok, e = ag.try(function()
            work(engine)
            return true
          end)
          if not ok then
            assert(e:is(ag.exc.Error), what .. tostring(e))
            tried = tried + 1
          end
          collectgarbage()
          assert.equal(0, engine.pool:checkedout(), what .. "still lent")
          local left = ids(plain)
          if ok then assert.equal("3", left, what)
          elseif not e.outcome_unknown then assert.equal("", left, what .. tostring(e)) end
          plain:begin(function(conn) conn:exec_driver_sql("DELETE FROM t") end)
          if ok then pcall(ids, engine) end -- the fault is still to come, and may come here
          local again <close> = engine:connect()
          assert.is_false(again:in_transaction(), what)
          assert.equal(1, again:exec_driver_sql("SELECT 1"):scalar(), what)
          again:close()
          engine:dispose()
          if ok then break end
        end
      end
      assert.is_true(tried > 0)
    end)
  end
end)
