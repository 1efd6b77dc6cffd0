--- Faults that random calls found (spec/support/random_calls.lua), each in its smallest form.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"
local models = require "spec.support.models"

describe("found by random calls:", function()
  after_each(db.cleanup)

  local function nan() return 0 / 0 end

  it("a detached connection of a shared database lives as long as its other holders", function()
    local engine = ag.create_engine("sqlite://")
    local first, second = engine:connect(), engine:connect()
    first:detach()
    first:close()
    assert.equal(1, second:exec_driver_sql("SELECT 1"):scalar())
    local third <close> = engine:connect() -- a new one: the detached connection is not lent again
    third:exec_driver_sql("CREATE TABLE t (a)")
    third:commit()
    expect.raises("DBAPIError", "no such table", second.exec_driver_sql, second, "SELECT * FROM t")
    second:close()
    assert.equal(1, engine.pool:checkedout())
    third:close()
    assert.equal(0, engine.pool:checkedout())
    engine:dispose()
  end)

  it("the transaction of a detached connection is not that of the pool's next one", function()
    local engine = ag.create_engine("sqlite://")
    local first <close> = engine:connect()
    first:detach()
    first:exec_driver_sql("CREATE TABLE t (a)")
    local second <close> = engine:connect()
    second:exec_driver_sql("CREATE TABLE u (a)")
    second:exec_driver_sql("INSERT INTO u VALUES (1)")
    second:commit()
    second:exec_driver_sql("INSERT INTO u VALUES (2)")
    second:rollback()
    assert.equal(1, second:exec_driver_sql("SELECT count(*) FROM u"):scalar())
    first:commit()
  end)

  it("a shared connection may lose its other holders while a checkout listener runs", function()
    local engine = ag.create_engine("sqlite://")
    local first = engine:connect()
    ag.event.listen(engine, "checkout", function()
      if not first.closed then
        first:detach()
        first:close()
      end
    end)
    local second <close> = engine:connect()
    assert.equal(1, second:exec_driver_sql("SELECT 1"):scalar())
    second:close()
    assert.equal(0, engine.pool:checkedout())
  end)

  it("a handle_error listener cannot put something in the error's place that is none", function()
    local engine = db.engine()
    ag.event.listen(engine, "handle_error", function() return 7 end)
    local conn <close> = engine:connect()
    expect.raises("ArgumentError", {"handle_error", "got number"}, conn.exec_driver_sql, conn, "SELEKT 1")
  end)

  it("NaN equals nothing, for unique() too", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    assert.equal(2, #conn:exec_driver_sql("SELECT 1 AS a UNION ALL SELECT 2"):unique(nan):all())
  end)

  it("listeners of load and refresh hear what was loaded by a statement that ran before them", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    models.fill(m, engine)
    local session <close> = ag.Session(engine)
    local function read()
      session:expunge_all()
      session:refresh(session:scalars(ag.select(m.User):where(m.User.id:eq(1))):one())
    end
    read()
    local heard = {}
    for _, event in ipairs{"load", "refresh"} do ag.event.listen(m.User, event, function() heard[#heard + 1] = event end) end
    read()
    assert.same({"load", "refresh"}, heard)
  end)

  it("a listener of a flush may raise anything, text too", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    for _, thing in ipairs{"some text", 7, {}} do
      local function listener() error(thing, 0) end
      ag.event.listen(engine, "before_execute", listener)
      local session <close> = ag.Session(engine)
      local tag = m.Tag{name = "x"}
      session:add(tag)
      local ok, e = pcall(session.flush, session)
      ag.event.remove(engine, "before_execute", listener)
      assert.is_false(ok)
      assert.equal(thing, e)
      assert.is_nil(tag.id)
      session:rollback()
      session:add(tag)
      session:flush()
      assert.is_true(tag.id ~= nil)
    end
  end)

  it("a listener that takes objects out of a flushing session ends the flush, and nothing is left of it", function()
    for _, act in ipairs{"close", "rollback", "expunge_all", "invalidate", "reset"} do
      for _, event in ipairs{"before_execute", "before_cursor_execute", "after_cursor_execute", "after_execute"} do
        local m = models.new()
        local engine = models.engine(m.Base)
        local session = ag.Session(engine)
        local first, second = m.Tag{name = "first"}, m.Tag{name = "second"}
        session:add_all{first, second}
        local done = false
        local function listener()
          if done then return end
          done = true
          session[act](session)
        end
        ag.event.listen(engine, event, listener)
        local ok, e = pcall(session.flush, session)
        assert.is_false(ok, act .. " in " .. event)
        assert.is_true(ag.exc.is_error(e), tostring(e))
        assert.is_nil(first.id)
        assert.is_nil(second.id)
        ag.event.remove(engine, event, listener)
        session:close()
        if act == "invalidate" and db.memory then m.Base.metadata:create_all(engine) end -- it went with its connection
        session:add(second)
        session:commit()
        assert.equal("second", session:scalars(ag.select(m.Tag.name)):one())
        session:close()
        db.cleanup()
      end
    end
  end)

  it("a function of a type cannot take objects out of the session whose flush calls it", function()
    local session
    for _, act in ipairs{"close", "rollback", "expunge_all", "invalidate"} do
      local Odd = ag.TypeDecorator{impl = ag.Text, cache_ok = true, process_bind_param = function(_, value)
        if value == "do it" then session[act](session) end
        return value
      end}
      local Base = ag.declarative_base()
      local T = Base:model("T", {__tablename = "t", id = ag.mapped_column(ag.Integer, {primary_key = true}), s = ag.mapped_column(Odd())})
      local engine = db.engine()
      Base.metadata:create_all(engine)
      session = ag.Session(engine)
      local t = T{s = "do it"}
      session:add(t)
      expect.raises("Error", nil, session.flush, session)
      session:rollback()
      t.s = "other"
      session:add(t)
      session:commit()
      assert.equal("other", session:scalars(ag.select(T.s)):one())
      session:close()
    end
  end)

  it("a function of a type may change what is being flushed: what was read stays", function()
    local Base = ag.declarative_base()
    local object
    local Odd = ag.TypeDecorator{impl = ag.Text, cache_ok = true, process_bind_param = function(_, value)
      object.s, object.other = nil, ("z"):rep(5000)
      collectgarbage()
      collectgarbage()
      return value
    end}
    local T = Base:model("T", {__tablename = "t", id = ag.mapped_column(ag.Integer, {primary_key = true}), s = ag.mapped_column(Odd()),
      other = ag.mapped_column(ag.Text), last = ag.mapped_column(Odd())})
    local engine = db.engine()
    Base.metadata:create_all(engine)
    local session <close> = ag.Session(engine)
    for i = 1, 3 do
      object = T{s = ("a"):rep(3000 * i), other = ("b"):rep(4000), last = ("c"):rep(5000)}
      session:add(object)
      session:flush()
      local row = session:execute(ag.select(T.__table):where(T.__table.c.id:eq(object.id))):one()
      assert.equal(("a"):rep(3000 * i), row.s)
      assert.is_true(row.other == ("b"):rep(4000) or row.other == ("z"):rep(5000))
      assert.equal(("c"):rep(5000), row.last)
    end
  end)

  it("a listener that rolls back lets nothing run outside a transaction", function()
    local engine = db.engine()
    engine:begin(function(conn) conn:exec_driver_sql("CREATE TABLE t (a INTEGER)") end)
    local conn <close> = engine:connect()
    for _, event in ipairs{"begin", "before_execute", "before_cursor_execute"} do
      local function listener(c) c:rollback() end
      ag.event.listen(engine, event, listener)
      pcall(conn.execute, conn, ag.text "INSERT INTO t VALUES (1)")
      ag.event.remove(engine, event, listener)
      conn:rollback()
      assert.equal(0, conn:exec_driver_sql("SELECT count(*) FROM t"):scalar(), event)
      conn:rollback()
    end
  end)

  it("listeners of a new connection that raise, or use the session that asked for it, leave nothing lent", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    local session, raise = ag.Session(engine), true
    local kept
    ag.event.listen(engine, "engine_connect", function(conn)
      kept = conn
      if raise then error("own", 0) end
      session:scalars(ag.select(m.User)):all()
    end)
    pcall(engine.connect, engine)
    assert.is_true(kept.closed)
    assert.equal(0, engine.pool:checkedout())
    raise = false
    pcall(session.scalars, session, ag.select(m.User))
    session:close()
    kept = nil -- luacheck: ignore
    assert.equal(0, engine.pool:checkedout())
  end)

  it("a listener that ends the session's new transaction is told so", function()
    local m = models.new()
    local engine = models.engine(m.Base)
    for _, event in ipairs{"after_begin", "after_transaction_create"} do
      local session = ag.Session(engine)
      ag.event.listen(session, event, function() session:close() end)
      expect.raises("InvalidRequestError", event, session.scalars, session, ag.select(m.User))
      expect.raises("InvalidRequestError", event, session.execute, session, ag.update(m.User):values{name = "x"})
      session:close()
    end
    assert.equal(0, engine.pool:checkedout())
  end)

  it("a listener may dispose the engine in the middle of things", function()
    for _, event in ipairs{"before_execute", "before_cursor_execute", "begin", "checkout", "engine_connect"} do
      local engine = ag.create_engine("sqlite://")
      ag.event.listen(engine, event, function() engine:dispose() end)
      pcall(function()
        local conn <close> = engine:connect()
        conn:exec_driver_sql("SELECT 1")
      end)
      engine = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end
  end)

  it("a key of very many values is a wrong key", function()
    local m = models.new()
    local session <close> = ag.Session(models.engine(m.Base))
    local many = {}
    for i = 1, 2000000 do many[i] = i end
    expect.raises("InvalidRequestError", "Incorrect number", session.get, session, m.User, many)
    expect.raises("InvalidRequestError", "Incorrect number", session.get, session, m.User, {1, 2})
  end)

  it("the core's own functions refuse what is no table", function()
    local core = require "argent.core"
    for _, wrong in ipairs{1, "x", true, print} do
      expect.raises("Error", nil, core.orm_adapt, ag.literal(1), {wrong})
      if wrong ~= "x" then expect.raises("Error", nil, core.orm_distribute, {{}}, "x", "x", {{}}, wrong) end
      expect.raises("Error", nil, core.dialect_new, "odd", "sqlite", wrong)
      for _, key in ipairs{"overrides", "operators", "precedences", "reserved_words", "features"} do
        expect.raises("Error", nil, core.dialect_new, "odd", "sqlite", {overrides = {}, [key] = wrong})
      end
    end
  end)

  it("tables whose metatables are locked or have odd fields are no objects of argent", function()
    for _, locked in ipairs{1, true, "locked", {}} do
      local odd = setmetatable({}, {__metatable = locked})
      expect.raises("ArgumentError", nil, ag.event.listen, odd, "begin", print)
      expect.raises("ArgumentError", nil, ag.Column, "x", odd)
      expect.raises("ArgumentError", nil, ag.Table, "t", ag.MetaData(), {odd})
      expect.raises("ArgumentError", nil, ag.CreateIndex, odd)
    end
  end)

  it("compile hooks are functions", function()
    expect.raises("ArgumentError", {"compile", "SQL expression"}, ag.FunctionElement, {name = "f", compile = ag.literal(1)})
    expect.raises("ArgumentError", {"compile", "string"}, ag.Executable, {compile = "x"})
  end)

  it("a condition by name takes columns", function()
    local Base = ag.declarative_base()
    local A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), bs = ag.relationship("B")})
    Base:model("B", {__tablename = "b", id = ag.mapped_column(ag.Integer, {primary_key = true}), a_id = ag.mapped_column(ag.ForeignKey("a.id"))})
    expect.raises("InvalidRequestError", "metadata", A.bs.any, A.bs, {metadata = 1})
  end)
end)
