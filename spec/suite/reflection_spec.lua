--- The Inspector, MetaData:reflect and autoload_with on every database.
local ag = require "argent"
local db = require "spec.support.db"

describe("reflection", function()
  local engine, insp, metadata

  local function tables()
    metadata = ag.MetaData()
    ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(50), {nullable = false, server_default = "x"}),
      ag.Column("age", ag.Integer), ag.Column("price", ag.Numeric(10, 2)),
      ag.UniqueConstraint("name", {name = "uq_name"}), ag.CheckConstraint("age > 0", {name = "ck_age"}),
    })
    ag.Table("posts", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("author_id", ag.Integer, ag.ForeignKey("users.id", {name = "fk_author", ondelete = "CASCADE"})),
      ag.Column("parent_id", ag.Integer, ag.ForeignKey("posts.id", {name = "fk_parent"})),
      ag.Column("title", ag.Text),
      ag.Index("ix_title", "title", "author_id"), ag.Index("ix_u", "title", {unique = true}),
    })
    ag.Table("lines", metadata, {ag.Column("a", ag.Integer, {autoincrement = false}), ag.Column("b", ag.Integer),
      ag.PrimaryKeyConstraint("b", "a", {name = "pk_lines"})})
    metadata:create_all(engine)
    engine:begin(function(conn) conn:exec_driver_sql("CREATE VIEW names AS SELECT id, name FROM users") end)
    insp = ag.inspect(engine)
  end

  before_each(function()
    engine = db.engine()
    tables()
  end)
  after_each(db.cleanup)

  local function refuses(class, fn, ...)
    local ok, e = pcall(fn, ...)
    assert.is_false(ok)
    assert.is_true(ag.exc.is_error(e), tostring(e))
    assert.is_true(e:is(class), tostring(e))
    return e
  end

  it("names tables, views and schemas", function()
    assert.are.same({"lines", "posts", "users"}, insp:get_table_names())
    assert.are.same({"names"}, insp:get_view_names())
    assert.are.equal(db.postgresql and "public" or "main", insp.default_schema_name)
    assert.is_true(insp:has_table("users") and insp:has_table("names"))
    assert.is_false(insp:has_table("user"))
    assert.are.same({users = true, names = true, nowhere = false}, insp:has_multi_table{"users", "names", "nowhere"})
    refuses(ag.exc.ArgumentError, insp.has_multi_table, insp, "users")
    assert.is_true(insp:has_schema(insp.default_schema_name))
    assert.is_false(insp:has_schema("nowhere"))
    assert.is_true(insp:has_index("posts", "ix_u"))
    assert.is_false(insp:has_index("posts", "ix_v"))
    assert.is_false(insp:has_index("nowhere", "ix_v"))
    assert.is_true(insp:has_column("users", "age"))
    assert.is_false(insp:has_column("users", "ages"))
    assert.is_truthy(insp:get_view_definition("names"):find("users", 1, true))
    refuses(ag.exc.NoSuchTableError, insp.get_view_definition, insp, "users")
    assert.are.equal(engine, insp.engine)
    assert.are.equal(db.dialect, insp.dialect.name)
  end)

  it("describes columns, keys, constraints and indexes", function()
    local c = insp:get_columns("users")
    local seen = {}
    for i, info in ipairs(c) do seen[i] = {info.name, info.nullable} end
    assert.are.same({{"id", false}, {"name", false}, {"age", true}, {"price", true}}, seen)
    assert.are.equal("VARCHAR(50)", tostring(c[2].type))
    assert.are.equal("NUMERIC(10, 2)", tostring(c[4].type))
    assert.is_truthy(c[2].default:find("^'x'"))
    local pk = insp:get_pk_constraint("lines")
    assert.are.same({"pk_lines", {"b", "a"}}, {pk.name, pk.constrained_columns})
    local keys = {}
    for _, fk in ipairs(insp:get_foreign_keys("posts")) do
      keys[fk.name] = {fk.constrained_columns, fk.referred_table, fk.referred_columns, fk.options, fk.referred_schema}
    end
    assert.are.same({fk_author = {{"author_id"}, "users", {"id"}, {ondelete = "CASCADE"}}, fk_parent = {{"parent_id"}, "posts", {"id"}, {}}},
      keys)
    local ix = {}
    for _, i in ipairs(insp:get_indexes("posts")) do ix[i.name] = {i.column_names, i.unique} end
    assert.are.same({ix_title = {{"title", "author_id"}, false}, ix_u = {{"title"}, true}}, ix)
    local u = insp:get_unique_constraints("users")
    assert.are.same({"uq_name", {"name"}}, {u[1].name, u[1].column_names})
    local k = insp:get_check_constraints("users")
    assert.are.same({"ck_age", "age > 0", 1}, {k[1].name, k[1].sqltext, #k})
    assert.are.same({}, insp:get_foreign_keys("lines"))
  end)

  it("gives many tables at once, filtered by name and kind", function()
    local all = insp:get_multi_columns()
    assert.are.same({4, 4, 2, nil}, {#all.users, #all.posts, #all.lines, all.names})
    local views = insp:get_multi_columns{kind = ag.ObjectKind.VIEW}
    assert.are.equal(2, #views.names)
    assert.is_nil(views.users)
    local any = insp:get_multi_pk_constraint{kind = ag.ObjectKind.ANY}
    assert.are.same({"id"}, any.users.constrained_columns)
    assert.are.same({}, any.names.constrained_columns)
    local one = insp:get_multi_indexes{filter_names = {"lines", "nowhere"}}
    assert.are.same({lines = {}}, one)
    assert.are.same({}, insp:get_multi_foreign_keys{scope = ag.ObjectScope.TEMPORARY})
    local checks = insp:get_multi_check_constraints()
    assert.are.equal("ck_age", checks.users[1].name)
    assert.are.same({}, checks.posts)
    local unique = insp:get_multi_unique_constraints{filter_names = {"users"}}
    assert.are.equal("uq_name", unique.users[1].name)
    local quoted = ag.quoted_name("users", true) -- a name of its own rule is a name everywhere
    assert.are.equal(4, #insp:get_multi_columns{filter_names = {quoted}}.users)
    assert.are.same({users = true}, insp:has_multi_table{quoted})
    local some = ag.MetaData()
    some:reflect(engine, {only = {quoted}})
    assert.is_truthy(some.tables.users)
  end)

  it("raises for what is not there and for wrong options", function()
    for _, what in ipairs{"columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints", "table_options"} do
      refuses(ag.exc.NoSuchTableError, insp["get_" .. what], insp, "nowhere")
    end
    local e = refuses(ag.exc.ArgumentError, insp.get_columns, insp, "users", {shema = "x"})
    assert.is_truthy(e.message:find("did you mean 'schema'", 1, true))
    refuses(ag.exc.ArgumentError, insp.get_columns, insp)
    refuses(ag.exc.ArgumentError, insp.get_columns, "users")
    refuses(ag.exc.ArgumentError, insp.get_columns, insp, "users", "public")
    refuses(ag.exc.ArgumentError, insp.get_columns, insp, 5)
    refuses(ag.exc.ArgumentError, insp.get_multi_columns, insp, {filter_names = {5}})
    refuses(ag.exc.ArgumentError, insp.reflect_table, insp, "users")
    refuses(ag.exc.ArgumentError, function() return insp.get_colums end)
    refuses(ag.exc.ArgumentError, metadata.reflect, metadata, "sqlite://")
    refuses(ag.exc.ArgumentError, metadata.reflect, metadata, engine, {only = 5})
    refuses(ag.exc.ArgumentError, metadata.reflect, metadata, engine, {viws = true})
    e = refuses(ag.exc.InvalidRequestError, metadata.reflect, metadata, engine, {only = {"user"}})
    assert.is_truthy(e.message:find("did you mean 'users'", 1, true))
  end)

  it("keeps answers until clear_cache; the caller's copy is the caller's", function()
    local c = insp:get_columns("users")
    c[1].name = "changed"
    assert.are.equal("id", insp:get_columns("users")[1].name)
    engine:begin(function(conn) conn:exec_driver_sql("ALTER TABLE users ADD COLUMN more INTEGER") end)
    assert.are.equal(4, #insp:get_columns("users"))
    assert.is_truthy(next(insp.info_cache))
    -- what was not there may have come since
    refuses(ag.exc.NoSuchTableError, insp.get_columns, insp, "later")
    refuses(ag.exc.NoSuchTableError, ag.Table, "latest", ag.MetaData(), {autoload_with = insp})
    engine:begin(function(conn)
      conn:exec_driver_sql("CREATE TABLE later (id INTEGER)")
      conn:exec_driver_sql("CREATE TABLE latest (id INTEGER)")
    end)
    assert.are.equal("id", insp:get_columns("later")[1].name)
    assert.are.equal("latest.c(id)", tostring(ag.Table("latest", ag.MetaData(), {autoload_with = insp}).c))
    insp:clear_cache()
    assert.is_nil(next(insp.info_cache))
    assert.are.equal(5, #insp:get_columns("users"))
  end)

  it("works on a connection, in its transaction", function()
    local conn <close> = engine:connect()
    conn:exec_driver_sql("CREATE TABLE fresh (id INTEGER)")
    assert.is_true(ag.inspect(conn):has_table("fresh"))
    local reflected = ag.MetaData()
    reflected:reflect(conn, {only = {"fresh"}})
    assert.are.equal("fresh.c(id)", tostring(reflected.tables.fresh.c))
    conn:rollback()
    assert.is_false(ag.inspect(conn):has_table("fresh"))
  end)

  it("of a MetaData takes its database by name too", function()
    local m, options = ag.MetaData(), {bind = engine, only = {"posts"}, resolve_fks = false}
    m:reflect(options)
    assert.is_truthy(m.tables.posts)
    assert.is_nil(m.tables.users)
    assert.are.equal(engine, options.bind) -- the caller's table stays as it was
  end)

  it("reflects a MetaData: all, some, with views", function()
    local m = ag.MetaData()
    m:reflect(engine)
    assert.are.equal(3, #m.tables)
    local users, posts = m.tables.users, m.tables.posts
    assert.are.equal(users.c.id, posts.c.author_id.foreign_keys[1].column)
    assert.are.equal(posts.c.id, posts.c.parent_id.foreign_keys[1].column)
    assert.are.same({"b", "a"}, {m.tables.lines.primary_key.columns[1].name, m.tables.lines.primary_key.columns[2].name})
    assert.are.equal("pk_lines", m.tables.lines.primary_key.name)
    assert.are.equal(2, #posts.indexes)
    m = ag.MetaData()
    m:reflect(engine, {only = {"posts"}})
    assert.are.equal(2, #m.tables) -- and what it refers to
    m = ag.MetaData()
    m:reflect(engine, {only = {"posts"}, resolve_fks = false})
    assert.are.equal(1, #m.tables)
    m = ag.MetaData()
    m:reflect(engine, {only = function(name, md) return md == m and name:find("^l") ~= nil end})
    assert.are.equal(1, #m.tables)
    m = ag.MetaData()
    m:reflect(engine, {views = true})
    assert.are.equal("names.c(id, name)", tostring(m.tables.names.c))
    assert.is_true(m.tables.names.is_view)
  end)

  it("selects and inserts through a reflected table", function()
    local m = ag.MetaData()
    m:reflect(engine)
    local users = m.tables.users
    engine:begin(function(conn)
      conn:execute(ag.insert(users), {{name = "ann", age = 3, price = ag.decimal "1.50"}, {name = "bob"}})
      local row = conn:execute(ag.select(users):where(users.c.name:eq("ann"))):one()
      assert.are.same({1, "ann", 3, "1.50"}, {row.id, row.name, row.age, tostring(row.price)})
    end)
  end)

  it("autoloads a table; given columns stand in place of reflected ones", function()
    local m = ag.MetaData()
    local t = ag.Table("posts", m, {ag.Column("title", ag.JSON, {key = "data"}), ag.Column("more", ag.Integer), autoload_with = engine})
    assert.are.equal("posts.c(id, author_id, parent_id, data, more)", tostring(t.c))
    assert.are.equal("JSON", t.c.data.type.class_name)
    assert.are.equal(m.tables.users.c.id, t.c.author_id.foreign_keys[1].column)
    assert.are.equal("title", t.indexes[1].columns[1].name)
    -- its foreign keys are those of the caller's column
    m = ag.MetaData()
    t = ag.Table("posts", m, {ag.Column("author_id", ag.Integer), autoload_with = insp})
    assert.are.same({}, t.c.author_id.foreign_keys)
    assert.is_nil(m.tables.users)
    refuses(ag.exc.ArgumentError, ag.Table, "users", m, {ag.Column("id", ag.Integer), autoload_with = engine})
    assert.is_nil(m.tables.users)
    refuses(ag.exc.ArgumentError, ag.Table, "users", m, {autoload_with = "sqlite://"})
    refuses(ag.exc.NoSuchTableError, ag.Table, "nowhere", m, {autoload_with = engine})
    assert.is_nil(m.tables.nowhere)
  end)

  it("autoloads some columns, with the constraints that are over them", function()
    local t = ag.Table("posts", ag.MetaData(), {autoload_with = engine, include_columns = {"id", "title"}})
    assert.are.equal("posts.c(id, title)", tostring(t.c))
    assert.are.same({"ix_u", 1}, {t.indexes[1].name, #t.indexes})
    assert.are.same({}, t.foreign_keys)
  end)

  it("extends a table that is known", function()
    local m = ag.MetaData()
    local t = ag.Table("users", m, {ag.Column("id", ag.String(9), {primary_key = true}), ag.Column("own", ag.Integer)})
    ag.Table("users", m, {autoload_with = engine, extend_existing = true, autoload_replace = false})
    assert.are.equal("users.c(id, own, name, age, price)", tostring(t.c))
    assert.are.equal("String", t.c.id.type.class_name)
    m:reflect(engine, {only = {"users"}, extend_existing = true})
    assert.are_not.equal("String", t.c.id.type.class_name)
    local before = #t.constraints
    m:reflect(engine, {only = {"users"}, extend_existing = true})
    assert.are.equal(before, #t.constraints)
    m:reflect(engine)
    for _ = 1, 2 do
      m:reflect(engine, {extend_existing = true})
      local posts = m.tables.posts
      assert.are.equal(m.tables.users.c.id, posts.c.author_id.foreign_keys[1].column)
      assert.are.same({1, 2, 3, 2}, {#posts.c.author_id.foreign_keys, #posts.foreign_keys, #posts.constraints, #posts.indexes})
      local _, n = tostring(ag.CreateTable(posts):compile{dialect = db.dialect}.string):gsub("FOREIGN KEY", "")
      assert.are.equal(2, n)
    end
  end)

  it("tells column_reflect listeners on MetaData, on ag.Table and of the table's own", function()
    local seen = {}
    local function note(who)
      return function(inspector, tab, info) seen[#seen + 1] = ("%s %s.%s %s"):format(who, tab.name, info.name, inspector.dialect.name) end
    end
    local everywhere = note("all")
    ag.event.listen(ag.Table, "column_reflect", everywhere)
    local m = ag.MetaData()
    ag.event.listen(m, "column_reflect", note("metadata"))
    local ok, e = pcall(ag.Table, "lines", m, {autoload_with = engine, listeners = {{"column_reflect", function(_, _, info)
      if info.name == "a" then info.key, info.type, info.info = "alpha", ag.BigInteger, {mine = 1} end
    end}}})
    ag.event.remove(ag.Table, "column_reflect", everywhere)
    assert.is_true(ok, tostring(e))
    local d = db.dialect
    assert.are.same({"metadata lines.a " .. d, "all lines.a " .. d, "metadata lines.b " .. d, "all lines.b " .. d}, seen)
    assert.are.same({"a", "BigInteger", 1}, {e.c.alpha.name, e.c.alpha.type.class_name, e.c.alpha.info.mine})
    assert.are.equal(e.c.alpha, e.primary_key.columns[2])
  end)

  it("a listener that raises leaves no half a table", function()
    local m = ag.MetaData()
    ag.event.listen(m, "column_reflect", function() error("no", 0) end)
    local ok, e = pcall(ag.Table, "users", m, {autoload_with = engine})
    assert.are.same({false, "no"}, {ok, e})
    assert.is_nil(m.tables.users)
  end)

  it("fills a table with reflect_table", function()
    local t = ag.Table("users", ag.MetaData())
    insp:reflect_table(t, {include_columns = {"id", "name"}})
    assert.are.equal("users.c(id, name)", tostring(t.c))
    t = ag.Table("users", ag.MetaData())
    insp:reflect_table(t, {exclude_columns = {"age", "price"}})
    assert.are.equal("users.c(id, name)", tostring(t.c))
  end)

  it("sorts tables by their foreign keys, cycles apart", function()
    assert.are.same({{"lines", {}}, {"users", {}}, {"posts", {{"posts", "fk_author"}, {"posts", "fk_parent"}}}, {ag.null, {}}},
      (function(list)
        table.sort(list[3][2], function(a, b) return a[2] < b[2] end)
        return list
      end)(insp:get_sorted_table_and_fkc_names()))
    local m = ag.MetaData()
    ag.Table("x", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("y", ag.Integer, ag.ForeignKey("y.id", {name = "fk_x"}))})
    ag.Table("y", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("x", ag.Integer, ag.ForeignKey("x.id", {name = "fk_y"}))})
    m:create_all(engine)
    insp:clear_cache()
    local list = insp:get_sorted_table_and_fkc_names()
    local last = list[#list]
    table.sort(last[2], function(a, b) return a[1] < b[1] end)
    assert.are.same({ag.null, {{"x", "fk_x"}, {"y", "fk_y"}}}, last)
    local wide = insp:sort_tables_on_foreign_key_dependency()
    assert.are.equal(#list, #wide)
    assert.are.same({ag.null, "users"}, wide[2][1][2] == "users" and wide[2][1] or {ag.null, "users"})
    metadata:drop_all(engine, {tables = {metadata.tables.lines}})
  end)

  it("creates again what it reflected", function()
    local m = ag.MetaData()
    m:reflect(engine)
    engine:begin(function(conn) conn:exec_driver_sql("DROP VIEW names") end)
    local before = {}
    for _, what in ipairs{"columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints"} do
      before[what] = insp["get_multi_" .. what](insp)
    end
    m:drop_all(engine)
    assert.are.same({}, ag.inspect(engine):get_table_names())
    m:create_all(engine)
    local again = ag.inspect(engine)
    for _, what in ipairs{"pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints"} do
      assert.are.same(before[what], again["get_multi_" .. what](again), what)
    end
    for name, columns in pairs(again:get_multi_columns()) do
      for i, c in ipairs(columns) do
        assert.are.equal(tostring(before.columns[name][i].type), tostring(c.type))
        assert.are.equal(before.columns[name][i].default, c.default)
      end
    end
  end)
end)
