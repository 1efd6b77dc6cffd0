-- A forked child: every call on what the parent made raises, the collector leaves the parent's sockets alone, and after
-- engine:dispose{close = false} the engine is the child's own.
local ag = require "argent"
local db = require "spec.support.db"
local fork = require "argent_test.fork"

describe("after fork()", function()
  after_each(db.cleanup)

  --- What `fn` gives in a forked child, which then collects its garbage and ends.
  local function in_child(fn)
    local answer, status = fork(fn)
    assert.equal(0, status, answer)
    return answer
  end

  local function world()
    local w = {engine = db.engine()}
    w.t = ag.Table("forked", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
    w.t.metadata:create_all(w.engine)
    local Base = ag.declarative_base()
    w.X = Base:model("X", {__table = w.t})
    w.engine:begin(function(c) c:execute(ag.insert(w.t), {{id = 1, name = "a"}, {id = 2, name = "b"}, {id = 3, name = "c"}}) end)
    w.conn = w.engine:connect()
    w.tx = w.conn:begin()
    w.stream = w.conn:execute(ag.select(w.t.c.id):order_by(w.t.c.id), nil, {execution_options = {yield_per = 1}})
    w.idle = w.engine:connect()
    w.idle:close()
    if db.shared then
      w.session = ag.Session(w.engine)
      w.object = w.session:get(w.X, 1)
      w.raw = w.engine:raw_connection()
    end
    return w
  end

  --- Everything that would use a connection.
  local function calls(w)
    local list = {
      ["Engine:connect"] = function() w.engine:connect() end,
      ["Engine:begin"] = function() w.engine:begin(function() end) end,
      ["Engine:raw_connection"] = function() w.engine:raw_connection() end,
      ["Connection:execute"] = function() w.conn:execute(ag.select(w.t.c.id)) end,
      ["Connection:exec_driver_sql"] = function() w.conn:exec_driver_sql("SELECT 1") end,
      ["Connection:scalar"] = function() w.conn:scalar(ag.select(ag.literal(1))) end,
      ["Connection:begin_nested"] = function()
        w.conn:begin_nested()
        w.conn:exec_driver_sql("SELECT 1")
      end,
      ["Connection:commit"] = function() w.conn:commit() end,
      ["Transaction:commit"] = function() w.tx:commit() end,
      ["Result:fetch"] = function()
        w.stream:fetchone()
        w.stream:fetchone()
        w.stream:fetchone()
      end,
      ["MetaData:create_all"] = function() w.t.metadata:create_all(w.engine) end,
      ["Session (new)"] = function() ag.Session(w.engine):execute(ag.select(w.t.c.id)) end,
    }
    if w.session then
      list["Session:execute"] = function() w.session:execute(ag.select(w.t.c.id)) end
      list["Session:get"] = function() w.session:get(w.X, 2) end
      list["Session:flush"] = function()
        w.object.name = "changed"
        w.session:flush()
      end
      list["Session:commit"] = function()
        w.object.name = "changed"
        w.session:commit()
      end
      list["RawConnection:execute"] = function() w.raw:execute("SELECT 1") end
    end
    return list
  end

  it("every call raises in the child", function()
    local w = world()
    local answer = in_child(function()
      local bad = {}
      for name, call in pairs(calls(w)) do
        local ok, e = pcall(call)
        if ok or not ag.exc.is_error(e) or not tostring(e):find("another process", 1, true) then
          bad[#bad + 1] = ("%s: %s"):format(name, ok and "no error" or tostring(e))
        end
      end
      table.sort(bad)
      return bad[1] and table.concat(bad, "\n") or "all raised"
    end)
    assert.equal("all raised", answer)
  end)

  it("the parent goes on where it was, whatever the child's collector does", function()
    local w = world()
    local before = w.conn:exec_driver_sql(db.postgresql and "SELECT pg_backend_pid()" or "SELECT 1"):scalar()
    assert.equal(1, w.stream:fetchone().id)
    local answer = in_child(function()
      for key in pairs(w) do w[key] = nil end
      collectgarbage()
      collectgarbage()
      return "collected"
    end)
    assert.equal("collected", answer)
    assert.equal(2, w.stream:fetchone().id)
    assert.equal(3, w.stream:fetchone().id)
    w.conn:execute(ag.insert(w.t):values{id = 4, name = "d"})
    w.tx:commit()
    assert.equal(4, w.conn:scalar(ag.select(ag.func.count()):select_from(w.t)))
    assert.equal(before, w.conn:exec_driver_sql(db.postgresql and "SELECT pg_backend_pid()" or "SELECT 1"):scalar())
    w.conn:rollback()
    if w.session then
      w.object.name = "new"
      w.session:commit()
      assert.equal("new", w.conn:scalar(ag.select(w.t.c.name):where(w.t.c.id:eq(1))))
      assert.equal(1, w.raw:execute("SELECT 1")[1][1])
      w.raw:close()
      w.session:close()
      w.conn:rollback()
    end
    w.conn:close()
  end)

  it("an engine that was disposed with close = false is the child's own", function()
    if not db.shared then return pending("a database in memory is the parent's") end
    local w = world()
    w.stream:close()
    w.tx:rollback()
    local answer = in_child(function()
      w.engine:dispose{close = false}
      w.engine:begin(function(c) c:execute(ag.insert(w.t):values{id = 9, name = "child"}) end)
      return w.engine:connect():scalar(ag.select(w.t.c.name):where(w.t.c.id:eq(9)))
    end)
    assert.equal("child", answer)
    assert.equal("child", w.conn:scalar(ag.select(w.t.c.name):where(w.t.c.id:eq(9))))
    w.conn:rollback()
    w.raw:close()
    w.session:close()
    w.conn:close()
  end)
end)
