--- Transactions through Core: what is kept, what is undone, and who is told.
local ag = require "argent"
local db = require "spec.support.db"

describe("Core transactions", function()
  local engine, t

  before_each(function()
    engine = db.engine()
    local metadata = ag.MetaData()
    t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("s", ag.Text)})
    metadata:create_all(engine)
  end)

  after_each(db.cleanup)

  local function put(conn, s) return conn:execute(ag.insert(t):values{s = s}) end

  local function stored()
    local conn <close> = engine:connect()
    return table.concat(conn:execute(ag.select(t.c.s):order_by(t.c.id)):scalars():all(), " ")
  end

  describe("a connection", function()
    it("begins by itself and keeps what is committed", function()
      do
        local conn <close> = engine:connect()
        assert.is_false(conn:in_transaction())
        put(conn, "a")
        assert.is_true(conn:in_transaction())
        conn:commit()
        assert.is_false(conn:in_transaction())
        put(conn, "b")
        conn:rollback()
        put(conn, "c")
        conn:commit()
      end
      assert.equal("a c", stored())
    end)

    it("forgets what is not committed when it is closed", function()
      do
        local conn <close> = engine:connect()
        put(conn, "a")
      end
      assert.equal("", stored())
    end)

    it("sees its own changes", function()
      local conn <close> = engine:connect()
      put(conn, "a")
      assert.equal(1, conn:scalar(ag.select(ag.func.count()):select_from(t)))
    end)
  end)

  describe("begin with a function", function()
    it("commits and returns what the function returns", function()
      local a, b, c = engine:begin(function(conn)
        put(conn, "a")
        return 1, nil, 3
      end)
      assert.same({1, nil, 3}, {a, b, c})
      assert.equal("a", stored())
    end)

    it("rolls back when the function raises, and raises the same", function()
      local mark = {}
      local ok, e = pcall(engine.begin, engine, function(conn)
        put(conn, "a")
        error(mark)
      end)
      assert.is_false(ok)
      assert.equal(mark, e)
      assert.equal("", stored())
    end)

    it("rolls back when the database raises", function()
      local ok, e = ag.try(engine.begin, engine, function(conn)
        put(conn, "a")
        conn:execute(ag.insert(t):values{id = 1, s = "again"})
        conn:execute(ag.insert(t):values{id = 1, s = "again"})
      end)
      assert.is_nil(ok)
      assert.is_true(e:is(ag.exc.IntegrityError))
      assert.equal("", stored())
      engine:begin(function(conn) put(conn, "later") end)
      assert.equal("later", stored())
    end)
  end)

  describe("begin without a function", function()
    it("keeps only what was committed", function()
      do
        local conn <close> = engine:connect()
        do
          local tx <close> = conn:begin()
          put(conn, "a")
          tx:commit()
        end
        do
          local _ <close> = conn:begin()
          put(conn, "b")
        end
      end
      assert.equal("a", stored())
    end)

    it("gives a connection from the engine that commits on demand", function()
      do
        local conn <close> = engine:begin()
        put(conn, "a")
        conn:commit()
      end
      do
        local conn <close> = engine:begin()
        put(conn, "b")
      end
      assert.equal("a", stored())
    end)

    it("cannot be ended twice", function()
      local conn <close> = engine:connect()
      local tx = conn:begin()
      tx:commit()
      local ok, e = ag.try(tx.commit, tx)
      assert.is_nil(ok)
      assert.is_true(e:is(ag.exc.InvalidRequestError))
    end)

    it("cannot begin twice on one connection", function()
      local conn <close> = engine:connect()
      local _ <close> = conn:begin()
      local ok, e = ag.try(conn.begin, conn)
      assert.is_nil(ok)
      assert.is_true(e:is(ag.exc.InvalidRequestError))
    end)
  end)

  describe("savepoints", function()
    it("undo only what came after them", function()
      engine:begin(function(conn)
        put(conn, "a")
        local ok = pcall(conn.begin_nested, conn, function()
          put(conn, "b")
          error "no"
        end)
        assert.is_false(ok)
        put(conn, "c")
        conn:begin_nested(function() put(conn, "d") end)
      end)
      assert.equal("a c d", stored())
    end)

    it("survive an error of the database", function()
      engine:begin(function(conn)
        conn:execute(ag.insert(t):values{id = 5, s = "a"})
        local ok, e = ag.try(conn.begin_nested, conn, function()
          put(conn, "b")
          conn:execute(ag.insert(t):values{id = 5, s = "twice"})
        end)
        assert.is_nil(ok)
        assert.is_true(e:is(ag.exc.IntegrityError))
        conn:execute(ag.insert(t):values{id = 6, s = "c"})
      end)
      assert.equal("a c", stored())
    end)

    it("nest", function()
      engine:begin(function(conn)
        put(conn, "1")
        conn:begin_nested(function()
          put(conn, "2")
          pcall(conn.begin_nested, conn, function()
            put(conn, "3")
            conn:begin_nested(function() put(conn, "4") end)
            error "no"
          end)
          put(conn, "5")
        end)
      end)
      assert.equal("1 2 5", stored())
    end)

    it("end by hand", function()
      do
        local conn <close> = engine:connect()
        put(conn, "a")
        local sp = conn:begin_nested()
        put(conn, "b")
        sp:rollback()
        sp = conn:begin_nested()
        put(conn, "c")
        sp:commit()
        conn:commit()
      end
      assert.equal("a c", stored())
    end)

    it("are undone with the transaction around them", function()
      pcall(engine.begin, engine, function(conn)
        conn:begin_nested(function() put(conn, "a") end)
        error "no"
      end)
      assert.equal("", stored())
    end)

    it("return what their function returns", function()
      local conn <close> = engine:connect()
      assert.same({1, "x"}, {conn:begin_nested(function() return 1, "x" end)})
    end)
  end)

  it("goes on after an error in a statement, once rolled back", function()
    local conn <close> = engine:connect()
    put(conn, "a")
    local ok, e = ag.try(conn.execute, conn, ag.text "select * from nowhere")
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.ProgrammingError))
    conn:rollback()
    put(conn, "b")
    conn:commit()
    assert.equal("b", conn:scalar(ag.select(t.c.s)))
  end)

  it("undoes DDL with its transaction", function()
    pcall(engine.begin, engine, function(conn)
      conn:execute(ag.text "create table extra (x integer)")
      error "no"
    end)
    local conn <close> = engine:connect()
    local ok, e = ag.try(conn.execute, conn, ag.text "select * from extra")
    assert.is_nil(ok)
    assert.is_true(e:is(ag.exc.ProgrammingError))
  end)

  it("autocommits when asked to", function()
    do
      local conn <close> = engine:connect():execution_options{isolation_level = "AUTOCOMMIT"}
      put(conn, "a")
    end
    assert.equal("a", stored())
  end)

  it("keeps nothing of a coroutine that was dropped", function()
    local co = coroutine.wrap(function()
      local conn <close> = engine:connect()
      put(conn, "a")
      coroutine.yield()
      conn:commit()
    end)
    co()
    co = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.equal("", stored())
  end)
end)
