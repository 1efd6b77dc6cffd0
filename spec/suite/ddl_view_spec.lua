local ag = require "argent"
local db = require "spec.support.db"

describe("views and tables made by a select", function()
  local engine, metadata, users
  before_each(function()
    engine, metadata = db.engine(), ag.MetaData()
    users = ag.Table("users", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(30)),
      ag.Column("age", ag.Integer)})
  end)
  after_each(db.cleanup)

  local function adults() return ag.select(users.c.id, users.c.name:label("who")):where(users.c.age:ge(18), users.c.name:ne("o'x")) end

  local function fill(conn)
    conn:execute(ag.insert(users), {{name = "ann", age = 40}, {name = "bob", age = 7}, {name = "o'x", age = 50}})
  end

  it("CreateView stands in the MetaData with typed columns and is created after what it selects from", function()
    local view = ag.CreateView(adults(), "a_view", {metadata = metadata})
    assert.equal(view.table, metadata.tables.a_view)
    assert.equal(view.table, view.element)
    assert.equal("who", view.table.c.who.name)
    assert.equal("String(30)", tostring(view.table.c.who.type))
    assert.is_true(view.table.is_view)
    metadata:create_all(engine)
    metadata:create_all(engine)
    engine:begin(function(conn)
      fill(conn)
      assert.same({"ann"}, conn:scalars(ag.select(view.table.c.who)):all())
      conn:execute(ag.insert(users):values{name = "eve", age = 20})
      assert.equal(2, #conn:scalars(ag.select(view.table.c.who)):all())
    end)
    metadata:drop_all(engine)
    metadata:drop_all(engine)
    local ok, e = pcall(engine.begin, engine, function(conn) conn:execute(ag.select(view.table)) end)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.ProgrammingError))
  end)

  it("views of views, CTEs, unions; DropView", function()
    local one = ag.CreateView(adults(), "b_first", {metadata = metadata})
    local cte = ag.select(one.table.c.who):cte("c")
    local two = ag.CreateView(ag.select(cte.c.who):union_all(ag.select(ag.literal("zoe"):label("who"))), "a_second", {metadata = metadata})
    metadata:create_all(engine)
    engine:begin(function(conn)
      fill(conn)
      assert.same({"ann", "zoe"}, conn:scalars(ag.select(two.table.c.who):order_by(two.table.c.who)):all())
      conn:execute(ag.DropView(two.table))
      conn:execute(ag.DropView(two.table, {if_exists = true}))
      conn:execute(two)
    end)
    local copy = ag.MetaData()
    users:to_metadata(copy)
    local again = one.table:to_metadata(copy)
    assert.is_true(again.is_view)
    assert.equal(copy.tables.b_first, again)
    metadata:drop_all(engine)
  end)

  it("OR REPLACE, materialized views and their options are PostgreSQL's", function()
    local plain = ag.CreateView(adults(), "v", {or_replace = true, postgresql_with = {security_barrier = true}})
    local mat = ag.CreateView(adults(), "m", {materialized = true, metadata = metadata})
    local ix = ag.Index("ix_m", mat.table.c.who)
    if db.sqlite then
      for _, element in ipairs{plain, mat, ag.DropView(mat.table, {materialized = true})} do
        local ok, e = pcall(engine.begin, engine, function(conn) conn:execute(element) end)
        assert.is_false(ok)
        assert.is_true(e:is(ag.exc.UnsupportedCompilationError))
      end
      return
    end
    metadata:create_all(engine)
    engine:begin(function(conn)
      fill(conn)
      conn:execute(plain)
      conn:execute(plain)
      assert.same({}, conn:scalars(ag.select(mat.table.c.who)):all())
      conn:execute(ag.DDL("REFRESH MATERIALIZED VIEW m"))
      assert.same({"ann"}, conn:scalars(ag.select(mat.table.c.who)):all())
      assert.equal(1, conn:scalar(ag.text "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_m'"))
      conn:execute(ag.DDL("DROP VIEW v"))
    end)
    metadata:drop_all(engine)
    assert.equal("ix_m", ix.name)
  end)

  it("temporary views; IF NOT EXISTS on SQLite", function()
    local view = ag.CreateView(adults(), "v", {temporary = true, sqlite_if_not_exists = true})
    users:create(engine)
    engine:begin(function(conn)
      conn:execute(view)
      if db.sqlite then conn:execute(view) end
      assert.same({}, conn:execute(ag.select(view.table)):all())
    end)
  end)

  it("select:into makes a table with the rows", function()
    users:create(engine)
    engine:begin(function(conn)
      fill(conn)
      local into = adults():into("grown", {temporary = true})
      conn:execute(into)
      assert.equal("ann", conn:execute(ag.select(into.table)):one().who)
      local keep = ag.CreateTableAs(ag.select(users.c.id):where(users.c.id:in_{1, 2}), "kept", {metadata = metadata, if_not_exists = true})
      conn:execute(keep)
      conn:execute(keep)
      assert.equal(2, conn:scalar(ag.select(ag.func.count()):select_from(keep.table)))
      local both = ag.select(users.c.id):union(ag.select(users.c.age)):into("both")
      conn:execute(both)
      assert.equal(6, conn:scalar(ag.select(ag.func.count()):select_from(both.table)))
    end)
  end)

  it("refuse what has no name, what is no select, and options that do not go together", function()
    for text, f in pairs{
      ["column 1 of the select has no name of its own"] = function() return ag.CreateView(ag.select(ag.func.count()), "v") end,
      ["column 2 of the select has no name of its own"] = function() return ag.CreateView(ag.select(users.c.id, users.c.id:label("id")), "v") end,
      ["expected a select"] = function() return ag.CreateView(users, "v") end,
      ["expected a name"] = function() return ag.CreateView(adults(), "") end,
      ["neither temporary nor replaced"] = function() return ag.CreateView(adults(), "v", {materialized = true, temporary = true}) end,
      ["did you mean 'materialized'"] = function() return ag.CreateView(adults(), "v", {materialised = true}) end,
      ["already defined"] = function() return ag.CreateView(adults(), "users", {metadata = metadata}) end,
    } do
      local ok, e = pcall(f)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.ArgumentError) or e:is(ag.exc.InvalidRequestError))
      assert.is_truthy(tostring(e):find(text, 1, true), tostring(e))
    end
  end)

  it("add_is_dependent_on orders tables", function()
    local a = ag.Table("a", metadata, {ag.Column("id", ag.Integer, {primary_key = true})})
    local z = ag.Table("z", metadata, {ag.Column("id", ag.Integer, {primary_key = true})})
    a:add_is_dependent_on(z)
    local order = {}
    for i, t in ipairs(metadata.sorted_tables) do order[t.name] = i end
    assert.is_true(order.z < order.a)
    z:add_is_dependent_on(a)
    local ok, e = pcall(function() return metadata.sorted_tables end)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.CircularDependencyError))
  end)
end)
