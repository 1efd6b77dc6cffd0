local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("events of engines and connections", function()
  local engine
  before_each(function() engine = db.engine() end)
  after_each(db.cleanup)

  local function record(target, names)
    local log = {}
    for _, name in ipairs(names) do
      ag.event.listen(target, name, function() log[#log + 1] = name end)
    end
    return log
  end

  it("come in the order of what happens", function()
    local log = record(engine, {"engine_connect", "begin", "before_cursor_execute", "after_cursor_execute", "commit", "rollback"})
    engine:begin(function(conn) conn:exec_driver_sql("SELECT 1") end)
    assert.same({"engine_connect", "begin", "before_cursor_execute", "after_cursor_execute", "commit"}, log)
  end)

  it("show statement and parameters, and share a context", function()
    local seen = {}
    ag.event.listen(engine, "before_cursor_execute", function(conn, cursor, statement, parameters, context, executemany)
      context.mark = "m"
      seen = {conn = conn, cursor = cursor, statement = statement, parameters = parameters, many = executemany}
    end)
    local mark
    ag.event.listen(engine, "after_cursor_execute", function(_, _, _, _, context) mark = context.mark end)
    local conn <close> = engine:connect()
    local text = db.sql "SELECT CAST(? AS INTEGER), CAST(? AS TEXT)"
    conn:exec_driver_sql(text, {5, "x"})
    assert.equal(conn, seen.conn)
    assert.equal(text, seen.statement)
    assert.same({5, "x"}, seen.parameters)
    assert.is_false(seen.many)
    assert.equal("m", mark)
    expect.raises("ResourceClosedError", nil, function() return seen.cursor.id end)
  end)

  it("with retval replace statement and parameters", function()
    ag.event.listen(engine, "before_cursor_execute", function(_, _, statement, parameters)
      return statement .. " + 1", {parameters[1] * 10}
    end, {retval = true})
    local conn <close> = engine:connect()
    assert.equal(51, conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER)", {5}):scalar())
  end)

  it("without retval ignore what listeners return", function()
    ag.event.listen(engine, "before_cursor_execute", function() return "nonsense", {1, 2, 3} end)
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("with retval must return what is needed", function()
    ag.event.listen(engine, "before_cursor_execute", function() end, {retval = true})
    local conn <close> = engine:connect()
    expect.raises("ArgumentError", "retval", conn.exec_driver_sql, conn, "SELECT 1")
  end)

  it("raise through the statement as the value they raised", function()
    local problem = {}
    ag.event.listen(engine, "before_cursor_execute", function() error(problem) end, {once = true})
    local conn <close> = engine:connect()
    local ok, e = pcall(conn.exec_driver_sql, conn, "SELECT 1")
    assert.is_false(ok)
    assert.equal(problem, e)
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
  end)

  it("may use the connection themselves", function()
    local inner
    ag.event.listen(engine, "begin", function(conn) inner = conn:exec_driver_sql("SELECT 7"):scalar() end)
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    assert.equal(7, inner)
  end)

  it("are heard on a sub-engine by the parent's listeners, not the other way round", function()
    local sub = engine:execution_options{logging_token = "x"}
    local parent_log, sub_log = record(engine, {"begin"}), record(sub, {"begin"})
    sub:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    assert.same({"begin", "begin"}, parent_log)
    assert.same({"begin"}, sub_log)
  end)

  it("are heard on one connection alone", function()
    local conn <close> = engine:connect()
    local log = record(conn, {"before_cursor_execute"})
    conn:exec_driver_sql("SELECT 1")
    conn:rollback()
    assert.equal(1, #log)
  end)

  it("of ag.Engine are heard for every engine, those made later too", function()
    local n = 0
    local listener = ag.event.listens_for(ag.Engine, "begin", function() n = n + 1 end)
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    db.engine():begin(function(c) c:exec_driver_sql("SELECT 1") end)
    ag.event.remove(ag.Engine, "begin", listener)
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    assert.is_true(n >= 2)
  end)

  it("before_execute has the statement and with retval puts another in its place", function()
    local conn <close> = engine:connect()
    local seen
    ag.event.listen(conn, "before_execute", function(_, statement, many, one, options) seen = {tostring(statement), many, one, options} end)
    conn:scalar(ag.text "SELECT :a", {a = 1})
    assert.equal("SELECT :a", seen[1])
    assert.equal(1, seen[3].a)
    ag.event.listen(conn, "before_execute", function(_, _, many, one) return ag.text "SELECT 42", many, one end, {retval = true})
    assert.equal(42, conn:scalar(ag.text "SELECT 1"))
  end)

  it("tell of the two phases of a transaction", function()
    if not db.postgresql then
      return -- SQLite has one phase: transaction_spec.lua
    end
    local log = {}
    for _, name in ipairs{"begin_twophase", "prepare_twophase", "commit_twophase", "rollback_twophase"} do
      ag.event.listen(engine, name, function(_, xid, prepared) log[#log + 1] = ("%s %s %s"):format(name, xid, prepared) end)
    end
    local conn <close> = engine:connect()
    local tx = conn:begin_twophase("x_events")
    conn:exec_driver_sql("SELECT 1")
    tx:rollback()
    assert.same({"begin_twophase x_events nil", "rollback_twophase x_events false"}, log)
  end)

  it("name savepoints", function()
    local log = {}
    ag.event.listen(engine, "savepoint", function(_, name) log[#log + 1] = "savepoint " .. name end)
    ag.event.listen(engine, "release_savepoint", function(_, name) log[#log + 1] = "release " .. name end)
    ag.event.listen(engine, "rollback_savepoint", function(_, name) log[#log + 1] = "rollback " .. name end)
    engine:begin(function(conn)
      conn:begin_nested(function() conn:exec_driver_sql("SELECT 1") end)
      pcall(conn.begin_nested, conn, function()
        conn:exec_driver_sql("SELECT 1")
        error("no")
      end)
    end)
    assert.equal(4, #log)
    assert.equal((log[1]:gsub("^savepoint", "release")), log[2])
    assert.equal((log[3]:gsub("^savepoint", "rollback")), log[4])
  end)

  it("tell of options and of disposal", function()
    local log = {}
    ag.event.listen(engine, "set_connection_execution_options", function(_, opts) log[#log + 1] = opts.tenant end)
    ag.event.listen(engine, "set_engine_execution_options", function(_, opts) log[#log + 1] = opts.tenant end)
    ag.event.listen(engine, "engine_disposed", function(e) log[#log + 1] = e end)
    local conn = engine:connect()
    conn:execution_options{tenant = 1}
    conn:close()
    engine:execution_options{tenant = 2}
    engine:dispose()
    assert.same({1, 2, engine}, log)
  end)

  it("handle_error sees the error and may put another in its place", function()
    local context
    ag.event.listen(engine, "handle_error", function(ctx)
      context = ctx
      if ctx.statement == "SELEKT 2" then return ag.exc.InvalidRequestError("mine") end
    end)
    local conn <close> = engine:connect()
    expect.raises("ProgrammingError", nil, conn.exec_driver_sql, conn, "SELEKT 1")
    assert.equal("SELEKT 1", context.statement)
    assert.is_true(context.original_exception:is(ag.exc.ProgrammingError))
    assert.is_false(context.is_disconnect)
    conn:rollback()
    expect.raises("InvalidRequestError", "mine", conn.exec_driver_sql, conn, "SELEKT 2")
  end)

  it("after_execute has the result, handle_error the engine and its dialect", function()
    local result, context
    ag.event.listen(engine, "after_execute", function(_, _, _, _, _, r) result = {r.rowcount, r.returns_rows, r:keys()} end)
    ag.event.listen(engine, "handle_error", function(ctx) context = ctx end)
    local conn <close> = engine:connect()
    local own = conn:execute(ag.text "SELECT 1 AS a")
    assert.same({1, true, {"a"}}, result)
    assert.equal(1, own:scalar())
    pcall(conn.exec_driver_sql, conn, "SELEKT 1")
    assert.equal(engine, context.engine)
    assert.equal(engine.dialect, context.dialect)
    assert.equal(conn, context.connection)
  end)

  it("handle_error is told of connections that cannot be opened", function()
    local url = db.postgresql and "postgresql://nobody@127.0.0.1:1/none" or "sqlite:////no/such/folder/x.db"
    local broken, context = ag.create_engine(url), nil
    ag.event.listen(broken, "handle_error", function(ctx) context = ctx end)
    expect.raises("OperationalError", nil, broken.connect, broken)
    assert.equal(broken, context.engine)
    assert.is_nil(context.connection)
    assert.is_nil(context.statement)
    assert.is_true(context.original_exception:is(ag.exc.OperationalError))
    ag.event.listen(broken, "handle_error", function() return ag.exc.InvalidRequestError("mine") end)
    for _ = 1, 2 do expect.raises("InvalidRequestError", "mine", broken.connect, broken) end
    ag.event.listen(broken, "handle_error", function() error("theirs", 0) end)
    for _ = 1, 2 do assert.same({false, "theirs"}, {pcall(broken.connect, broken)}) end
    broken:dispose()
  end)

  it("handle_error is told the parameters", function()
    local context
    ag.event.listen(engine, "handle_error", function(ctx) context = ctx end)
    local conn <close> = engine:connect()
    expect.raises("ProgrammingError", nil, conn.exec_driver_sql, conn, "SELEKT " .. db.param(1), {"a"})
    assert.same({"a"}, context.parameters)
    conn:rollback()
    expect.raises("ProgrammingError", nil, conn.exec_driver_sql, conn, "SELEKT " .. db.param(1), {{"a"}, {"b"}})
    assert.same({"a"}, context.parameters[1])
    conn:rollback()
    expect.raises("ProgrammingError", nil, conn.exec_driver_sql, conn, "SELEKT 1")
    assert.is_nil(context.parameters)
  end)
end)

describe("events of pools", function()
  after_each(db.cleanup)

  it("tell of connecting, lending and giving back", function()
    local engine = ag.create_engine(db.url())
    local log = {}
    for _, name in ipairs{"first_connect", "connect", "checkout", "checkin", "close"} do
      ag.event.listen(engine, name, function() log[#log + 1] = name end)
    end
    engine:connect():close()
    engine:connect():close()
    assert.same({"first_connect", "connect", "checkout", "checkin", "checkout", "checkin"}, log)
    engine:dispose()
  end)

  it("tell of resets, of connections given up and of those taken out of the pool", function()
    local engine = ag.create_engine(db.url(), {poolclass = "QueuePool"})
    local log = {}
    for _, name in ipairs{"checkout", "reset", "checkin", "invalidate", "soft_invalidate", "detach", "close_detached", "close"} do
      ag.event.listen(engine, name, function() log[#log + 1] = name end)
    end
    local function with(f)
      log = {}
      local conn = engine:connect()
      conn:exec_driver_sql("SELECT 1")
      f(conn)
      conn:close()
      return log
    end
    assert.same({"checkout", "reset", "checkin"}, with(function() end))
    assert.same({"checkout", "invalidate", "close", "checkin"}, with(function(conn) conn:invalidate() end))
    assert.same({"checkout", "detach", "reset", "close_detached"}, with(function(conn) conn:detach() end))
    assert.same({"checkout", "reset", "soft_invalidate", "checkin"},
      with(function(conn) conn.connection:invalidate{soft = true} end))
    engine:dispose()
  end)

  it("give a raw connection that runs text, for settings of new connections", function()
    local engine = ag.create_engine(db.url())
    ag.event.listen(engine, "connect", function(raw)
      raw.info.n = raw:execute("SELECT 5")[1][1]
    end)
    local conn <close> = engine:connect()
    assert.equal(5, conn.info.n)
    conn:close()
    engine:dispose()
  end)

  it("a checkout listener may reject a connection", function()
    if not db.shared then pending("one shared connection in memory") return end
    local engine = ag.create_engine(db.url())
    engine:connect():close()
    local rejected = 0
    ag.event.listen(engine, "checkout", function()
      if rejected == 0 then
        rejected = 1
        error(ag.exc.DisconnectionError("stale"))
      end
    end)
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    assert.equal(1, rejected)
    assert.equal(2, engine.pool:stats().connects)
    conn:close()
    engine:dispose()
  end)

  it("do_connect may give another URL, and so may a creator", function()
    local url = db.url()
    local wrong = db.postgresql and "postgresql://x@/nothing?host=/nonexistent" or "sqlite:////nonexistent/x.db"
    local engine = ag.create_engine(wrong)
    ag.event.listen(engine, "do_connect", function() return url end)
    do
      local conn <close> = engine:connect()
      assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    end
    engine:dispose()
    engine = ag.create_engine(wrong, {creator = function(given)
      assert.equal(ag.make_url(wrong), given)
      return ag.make_url(url)
    end})
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    conn:close()
    engine:dispose()
  end)
end)

describe("ag.event", function()
  local engine
  setup(function() engine = db.engine() end)
  teardown(db.cleanup)

  it("refuses unknown events, targets, functions and modifiers", function()
    expect.raises("ArgumentError", {"unknown event of an Engine 'begni'", "did you mean 'begin'"}, ag.event.listen, engine, "begni", print)
    expect.raises("ArgumentError", "argument #1 to ag.event.listen", ag.event.listen, 5, "begin", print)
    expect.raises("ArgumentError", "argument #1", ag.event.listen, nil, "begin", print)
    expect.raises("ArgumentError", "argument #2", ag.event.listen, engine, nil, print)
    expect.raises("ArgumentError", {"argument #3", "function"}, ag.event.listen, engine, "begin")
    expect.raises("ArgumentError", {"option 'onec'", "did you mean 'once'"}, ag.event.listen, engine, "begin", print, {onec = true})
    expect.raises("ArgumentError", "option 'once'", ag.event.listen, engine, "begin", print, {once = 1})
    expect.raises("InvalidRequestError", "does not listen", ag.event.remove, engine, "begin", function() end)
  end)

  it("adds, finds and removes listeners; the same one counts once", function()
    local n = 0
    local function f() n = n + 1 end
    ag.event.listen(engine, "begin", f)
    ag.event.listen(engine, "begin", f)
    assert.is_true(ag.event.contains(engine, "begin", f))
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    assert.equal(1, n)
    ag.event.remove(engine, "begin", f)
    assert.is_false(ag.event.contains(engine, "begin", f))
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    assert.equal(1, n)
  end)

  it("knows once, insert and named", function()
    local log = {}
    local function second() log[#log + 1] = 2 end
    ag.event.listen(engine, "begin", second)
    ag.event.listen(engine, "begin", function() log[#log + 1] = 1 end, {insert = true, once = true})
    ag.event.listen(engine, "begin", function(args) log[#log + 1] = type(args.conn) end, {named = true, once = true})
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    engine:begin(function(c) c:exec_driver_sql("SELECT 1") end)
    assert.same({1, 2, "userdata", 2}, log)
    ag.event.remove(engine, "begin", second)
  end)
end)
