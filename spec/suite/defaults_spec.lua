local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("what columns say of themselves", function()
  local engine, metadata
  before_each(function() engine, metadata = db.engine(), ag.MetaData() end)
  after_each(db.cleanup)

  --- The one row that inserting `values` into a table of these columns leaves.
  local function row(values, ...)
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ...})
    metadata:create_all(engine)
    return engine:begin(function(conn)
      conn:execute(ag.insert(t):values(values))
      return conn:execute(ag.select(t)):one()
    end), t
  end

  it("default: a value, a function, an expression", function()
    local calls = 0
    local r = row({}, ag.Column("a", ag.Integer, {default = 5}),
      ag.Column("b", ag.Integer, {default = function() calls = calls + 1 return calls end}),
      ag.Column("c", ag.Text, {default = ag.func.lower("ABC")}),
      ag.Column("d", ag.JSON, {default = {k = {1, 2}}}))
    assert.equal(5, r.a)
    assert.equal(1, r.b)
    assert.equal("abc", r.c)
    assert.equal(2, r.d.k[2])
    assert.equal(1, calls)
  end)

  it("a default gives way to a value, and to an explicit NULL", function()
    local r = row({a = 7, b = ag.null}, ag.Column("a", ag.Integer, {default = 5}), ag.Column("b", ag.Integer, {default = 5}))
    assert.equal(7, r.a)
    assert.is_nil(r.b)
  end)

  it("onupdate", function()
    local _, t = row({}, ag.Column("a", ag.Integer, {default = 1, onupdate = function() return 2 end}), ag.Column("b", ag.Integer))
    engine:begin(function(conn)
      conn:execute(ag.update(t):values{b = 1})
      assert.equal(2, conn:scalar(ag.select(t.c.a)))
      conn:execute(ag.update(t):values{a = 9})
      assert.equal(9, conn:scalar(ag.select(t.c.a)))
    end)
  end)

  it("a function that closes the connection ends the statement, and the connection goes back", function()
    local conn
    local function close() conn:close() return 1 end
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("a", ag.Integer, {default = close, onupdate = close})})
    metadata:create_all(engine)
    for _, case in ipairs{{ag.insert(t)}, {ag.insert(t), {{id = 1}, {id = 2}}}, {ag.update(t):values{id = 3}}} do
      conn = engine:connect()
      expect.raises("ResourceClosedError", {"This Connection is closed"}, conn.execute, conn, table.unpack(case))
      assert.is_true(conn.closed)
      assert.equal(0, engine.pool:checkedout())
    end
    assert.equal(0, engine:connect():scalar(ag.select(ag.func.count()):select_from(t)))
  end)

  it("a function that invalidates the connection ends the statement", function()
    if db.memory then return pending("the one connection is the database") end
    local conn
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("a", ag.Integer, {default = function() conn:invalidate() return 1 end})})
    metadata:create_all(engine)
    for _, sets in ipairs{{}, {{id = 1}, {id = 2}}} do
      conn = engine:connect()
      local ok, e = pcall(conn.execute, conn, ag.insert(t), sets[1] and sets or nil)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.InvalidRequestError), tostring(e))
      conn:rollback()
      assert.equal(0, conn:scalar(ag.select(ag.func.count()):select_from(t)))
      conn:close()
      assert.equal(0, engine.pool:checkedout())
    end
  end)

  it("server_default: a literal or SQL", function()
    local r = row({}, ag.Column("a", ag.String(20), {server_default = "it's"}),
      ag.Column("b", ag.Integer, {server_default = ag.text("2 + 3")}), ag.Column("c", ag.Boolean, {server_default = ag.true_()}))
    assert.equal("it's", r.a)
    assert.equal(5, r.b)
    assert.is_true(r.c)
  end)

  it("Computed columns", function()
    local r = row({a = 4}, ag.Column("a", ag.Integer), ag.Column("b", ag.Integer, ag.Computed("a * 2", {persisted = true})))
    assert.equal(8, r.b)
  end)

  it("TypeDecorator converts both ways", function()
    local upper = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
      process_bind_param = function(_, v) return v and v:upper() end,
      process_result_value = function(_, v) return v and "<" .. v .. ">" end}
    local r, t = row({a = "x"}, ag.Column("a", upper), ag.Column("b", upper))
    assert.equal("<X>", r.a)
    assert.is_nil(r.b)
    engine:begin(function(conn)
      assert.equal(1, conn:scalar(ag.select(ag.func.count()):select_from(t):where(t.c.a:eq("x"))))
    end)
  end)

  it("JSON.NULL is not NULL", function()
    local _, t = row({a = ag.JSON.NULL, b = ag.null_()}, ag.Column("a", ag.JSON), ag.Column("b", ag.JSON))
    engine:begin(function(conn)
      local r = conn:execute(ag.select(t.c.a:is_(nil):label("a"), t.c.b:is_(nil):label("b"))):one()
      assert.is_true(r.b == true or r.b == 1)
      assert.is_true(r.a == false or r.a == 0)
    end)
  end)

  it("Enum refuses what is no label when it is told to, or the database does", function()
    local kind = ag.Enum({"a", "b"}, {name = "kind", validate_strings = true})
    local _, t = row({k = "a"}, ag.Column("k", kind))
    local ok, e = pcall(engine.begin, engine, function(conn) conn:execute(ag.insert(t):values{k = "c"}) end)
    assert.is_false(ok)
    assert.is_true(ag.exc.is_error(e))
    metadata:drop_all(engine)
  end)

  it("Enum refuses what a column holds and its list lacks when it is read", function()
    local md = ag.MetaData()
    local t = ag.Table("colours", md, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("c", ag.Enum({"red", "green"}, {name = "colour", native_enum = false, length = 10}))})
    local own = db.engine()
    md:create_all(own)
    local conn <close> = own:connect()
    conn:execute(t:insert(), {{id = 1, c = "red"}, {id = 2, c = ag.null}})
    assert.equal("red", conn:execute(ag.select(t.c.c):order_by(t.c.id)):all()[1].c)
    conn:exec_driver_sql("INSERT INTO colours VALUES (3, 'blue')")
    local ok, e = pcall(function() return conn:execute(ag.select(t.c.c)):all() end)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.DataError))
    assert.matches("blue", e.message)
  end)

  it("Boolean and Enum with create_constraint are checked by SQLite", function()
    if not db.sqlite then return pending("the types are the database's own") end
    local _, t = row({}, ag.Column("f", ag.Boolean{create_constraint = true}),
      ag.Column("k", ag.Enum({"a", "b"}, {name = "kind", create_constraint = true})),
      ag.Column("d", ag.TypeDecorator{impl = ag.Enum({"p"}, {name = "behind", create_constraint = true})}),
      ag.Column("v", ag.Text():with_variant(ag.Boolean{create_constraint = true}, "sqlite")))
    for _, sql in ipairs{"UPDATE t SET f = 2", "UPDATE t SET k = 'c'", "UPDATE t SET d = 'q'", "UPDATE t SET v = 'x'"} do
      local ok, e = pcall(engine.begin, engine, function(conn) conn:exec_driver_sql(sql) end)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.IntegrityError))
    end
    assert.equal("t", t.name)
  end)
end)
