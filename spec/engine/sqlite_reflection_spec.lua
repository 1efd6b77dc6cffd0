--- Reflection of SQLite: what get_* and autoload_with make of its catalog.
local ag = require "argent"

describe("SQLite reflection", function()
  local engine, insp

  local function run(...)
    local texts = {...}
    engine:begin(function(conn)
      for _, text in ipairs(texts) do conn:exec_driver_sql(text) end
    end)
    insp = ag.inspect(engine)
  end

  before_each(function() engine = ag.create_engine("sqlite://") end)
  after_each(function() engine:dispose() end)

  it("gives columns with their types, defaults and keys", function()
    run [[CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50) DEFAULT 'x' NOT NULL, price NUMERIC(10, 2), odd FOO)]]
    local c = insp:get_columns("users")
    assert.are.same({"id", "name", "price", "odd"}, {c[1].name, c[2].name, c[3].name, c[4].name})
    assert.are.same({1, 0, 0, 0}, {c[1].primary_key, c[2].primary_key, c[3].primary_key, c[4].primary_key})
    assert.are.equal("VARCHAR(50)", tostring(c[2].type))
    assert.are.equal("NUMERIC(10, 2)", tostring(c[3].type))
    assert.are.equal("NUMERIC", tostring(c[4].type))
    assert.are.equal("'x'", c[2].default)
    assert.is_false(c[2].nullable)
    assert.is_true(c[3].nullable)
    assert.are.same({constrained_columns = {"id"}}, insp:get_pk_constraint("users"))
  end)

  it("names what is there, and raises NoSuchTableError for what is not", function()
    run("CREATE TABLE b (x)", "CREATE TABLE a (x)", "CREATE VIEW v AS SELECT x FROM a", "CREATE TEMP TABLE t (x)",
      "CREATE TEMP VIEW tv AS SELECT 1 AS x", "CREATE INDEX ix ON a (x)")
    assert.are.same({"a", "b"}, insp:get_table_names())
    assert.are.same({"v"}, insp:get_view_names())
    assert.are.same({"t"}, insp:get_temp_table_names())
    assert.are.same({"tv"}, insp:get_temp_view_names())
    assert.are.same({"main"}, insp:get_schema_names())
    assert.are.equal("main", insp.default_schema_name)
    assert.are.equal("CREATE VIEW v AS SELECT x FROM a", insp:get_view_definition("v"))
    assert.is_true(insp:has_table("a") and insp:has_table("v") and insp:has_table("t"))
    assert.is_false(insp:has_table("c"))
    assert.is_true(insp:has_index("a", "ix"))
    assert.is_false(insp:has_index("a", "iy") or insp:has_index("nope", "ix"))
    local ok, e = pcall(insp.get_columns, insp, "c")
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoSuchTableError))
    ok, e = pcall(insp.get_sequence_names, insp)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NotImplementedError))
  end)

  it("reflects a MetaData with foreign keys and their options", function()
    run("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)", [[CREATE TABLE posts (id INTEGER PRIMARY KEY,
      author INTEGER REFERENCES users ON DELETE CASCADE, editor INTEGER, FOREIGN KEY (editor) REFERENCES users (id))]])
    local metadata = ag.MetaData()
    metadata:reflect(engine)
    local posts, users = metadata.tables.posts, metadata.tables.users
    local key = insp:get_foreign_keys("posts")[1]
    assert.are.same({{"author"}, "users", {"id"}, {ondelete = "CASCADE"}},
      {key.constrained_columns, key.referred_table, key.referred_columns, key.options})
    assert.are.equal(users.c.id, posts.c.author.foreign_keys[1].column)
    assert.are.equal(users.c.id, posts.c.editor.foreign_keys[1].column)
    assert.are.same({{"users", {}}, {"posts", {{"posts", ag.null}, {"posts", ag.null}}}, {ag.null, {}}},
      insp:get_sorted_table_and_fkc_names())
  end)

  it("autoloads a table, what it refers to, and takes the caller's columns in place of its own", function()
    run("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
      "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users (id), data TEXT, n INTEGER)")
    local metadata = ag.MetaData()
    local posts = ag.Table("posts", metadata, {autoload_with = engine, ag.Column("data", ag.JSON), ag.Column("extra", ag.Text)})
    assert.are.equal("posts.c(id, author, data, n, extra)", tostring(posts.c))
    assert.are.equal("JSON", posts.c.data.type.class_name)
    assert.are.equal(metadata.tables.users.c.id, posts.c.author.foreign_keys[1].column)
    local some = ag.Table("posts", ag.MetaData(), {autoload_with = engine, include_columns = {"id", "n"}})
    assert.are.equal("posts.c(id, n)", tostring(some.c))
    local alone = ag.MetaData()
    ag.Table("posts", alone, {autoload_with = engine, resolve_fks = false})
    assert.is_nil(alone.tables.users)
    local ok, e = pcall(ag.Table, "nope", metadata, {autoload_with = engine})
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoSuchTableError))
    assert.is_nil(metadata.tables.nope)
  end)

  it("tells column_reflect listeners of each column", function()
    run "CREATE TABLE t (a INTEGER, b TEXT)"
    local metadata, seen = ag.MetaData(), {}
    ag.event.listen(metadata, "column_reflect", function(inspector, tab, info)
      assert.are.equal("Inspector", getmetatable(inspector).class_name)
      seen[#seen + 1] = tab.name .. "." .. info.name
      if info.name == "b" then info.key = "beta" end
    end)
    metadata:reflect(engine)
    assert.are.same({"t.a", "t.b"}, seen)
    assert.are.equal("b", metadata.tables.t.c.beta.name)
  end)

  it("keeps what it read until clear_cache", function()
    run "CREATE TABLE t (a INTEGER)"
    assert.are.equal(1, #insp:get_columns("t"))
    engine:begin(function(conn) conn:exec_driver_sql("ALTER TABLE t ADD COLUMN b TEXT") end)
    assert.are.equal(1, #insp:get_columns("t"))
    insp:clear_cache()
    assert.are.equal(2, #insp:get_columns("t"))
  end)
end)
