-- do_execute and do_executemany: a listener that returns true has done what the driver would have.
local ag = require "argent"
local db = require "spec.support.db"

describe("do_execute", function()
  local engine, t
  before_each(function()
    engine = db.engine()
    t = ag.Table("done", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true, autoincrement = false}), ag.Column("name", ag.Text)})
    t.metadata:create_all(engine)
  end)
  after_each(db.cleanup)

  it("is told of statement, parameters and context, behind before_cursor_execute", function()
    local seen = {}
    ag.event.listen(engine, "before_cursor_execute", function(_, _, statement) seen[#seen + 1] = "before " .. statement:match("^%w+") end)
    ag.event.listen(engine, "do_execute", function(cursor, statement, parameters, context)
      assert.equal("string", type(statement))
      assert.equal("table", type(context))
      assert.is_not_nil(cursor)
      seen[#seen + 1] = ("do %s %s"):format(statement:match("^%w+"), tostring(parameters[1]))
    end)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{id = 7, name = "a"})
      assert.equal("a", conn:scalar(ag.select(t.c.name):where(t.c.id:eq(7))))
    end)
    assert.same({"before INSERT", "do INSERT 7", "before SELECT", "do SELECT 7"}, seen)
  end)

  it("that returns true keeps the statement from the database", function()
    local caught = {}
    local function catch(_, statement, parameters)
      if statement:find("^INSERT") then
        caught[#caught + 1] = parameters
        return true
      end
    end
    ag.event.listen(engine, "do_execute", catch)
    ag.event.listen(engine, "do_executemany", catch)
    engine:begin(function(conn)
      local r = conn:execute(ag.insert(t):values{id = 1, name = "a"})
      assert.is_false(r.returns_rows)
      conn:execute(ag.insert(t), {{id = 2, name = "b"}, {id = 3, name = "c"}})
      assert.equal(0, conn:scalar(ag.select(ag.func.count()):select_from(t)))
    end)
    assert.equal(2, #caught)
    assert.same({1, "a"}, caught[1])
    ag.event.remove(engine, "do_execute", catch)
    ag.event.remove(engine, "do_executemany", catch)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{id = 1, name = "a"})
      assert.equal(1, conn:scalar(ag.select(ag.func.count()):select_from(t)))
    end)
  end)

  it("keeps results in step when one of several is taken", function()
    local count = 0
    ag.event.listen(engine, "do_execute", function(_, statement)
      count = count + 1
      return statement:find("skip_me", 1, true) ~= nil
    end)
    local conn <close> = engine:connect()
    conn:exec_driver_sql("SELECT 1 AS skip_me")
    assert.equal(2, conn:exec_driver_sql("SELECT 2"):scalar())
    conn:begin_nested(function() conn:exec_driver_sql("SELECT 3 AS skip_me") end)
    assert.equal(4, conn:exec_driver_sql("SELECT 4"):scalar())
    assert.equal(4, count)
    conn:rollback()
  end)

  it("raises what a listener raises", function()
    ag.event.listen(engine, "do_execute", function() error("not today", 0) end)
    local conn <close> = engine:connect()
    local ok, e = pcall(conn.exec_driver_sql, conn, "SELECT 1")
    assert.is_false(ok)
    assert.matches("not today", tostring(e))
  end)
end)
