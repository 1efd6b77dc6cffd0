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

  -- ── what SQLAlchemy 2.1's Inspector says of the same texts ───────────────────────────────────────────────────────────

  local function types_of(name)
    local out = {}
    for i, c in ipairs(insp:get_columns(name)) do out[i] = tostring(c.type) end
    return table.concat(out, " ")
  end

  it("maps declared types by name, the others by affinity", function()
    run([[CREATE TABLE a (a BIGINT, b BLOB, c BOOL, d BOOLEAN, e CHAR(10), f DATE, g DATE_CHAR, h DATETIME, i DATETIME_CHAR, j DOUBLE,
      k DECIMAL(10,3), l FLOAT, m INT, n JSON, o NUMERIC(5), p REAL, q SMALLINT, r TEXT, s TIME, t TIME_CHAR, u TIMESTAMP,
      v VARCHAR(30), w NVARCHAR(20), x NCHAR(3), y JSONB, z varchar)]],
      [[CREATE TABLE b (a MEDIUMINT, b UNSIGNED BIG INT, c VARYING CHARACTER(25), d CLOB, e LONGBLOB, f DOUBLE PRECISION, g FLOATY(3,4),
      h, i STRANGE, k "my type", l INTEGER(5), n NATIVE CHARACTER(70))]])
    assert.are.equal("BIGINT BLOB BOOLEAN BOOLEAN CHAR(10) DATE DATE DATETIME DATETIME DOUBLE DECIMAL(10, 3) FLOAT INTEGER JSON NUMERIC(5) "
      .. "REAL SMALLINT TEXT TIME TIME TIMESTAMP VARCHAR(30) NVARCHAR(20) NCHAR(3) JSONB VARCHAR", types_of("a"))
    assert.are.equal("INTEGER INTEGER TEXT(25) TEXT NullType REAL REAL NullType NUMERIC NUMERIC INTEGER TEXT(70)", types_of("b"))
  end)

  it("gives defaults as the pragma does, in brackets where they could not be written again without", function()
    run [[CREATE TABLE d (a INTEGER DEFAULT 5, b TEXT DEFAULT 'it''s', c INTEGER DEFAULT (1+2), d DEFAULT CURRENT_TIMESTAMP, e DEFAULT -3,
      f DEFAULT NULL, g DEFAULT x'00', h DEFAULT (datetime('now')), i TEXT DEFAULT ('a' || 'b'), j TEXT DEFAULT ('x'), k INTEGER)]]
    local out = {}
    for i, c in ipairs(insp:get_columns("d")) do out[i] = c.default or "-" end
    assert.are.same({"5", "'it''s'", "1+2", "CURRENT_TIMESTAMP", "-3", "NULL", "x'00'", "datetime('now')", "('a' || 'b')", "'x'", "-"}, out)
  end)

  it("names primary keys, unique and check constraints", function()
    run("CREATE TABLE k1 (a INTEGER, b INTEGER, c TEXT, CONSTRAINT my_pk PRIMARY KEY (b, a))",
      "CREATE TABLE k2 (x INTEGER CONSTRAINT k2pk PRIMARY KEY, y TEXT UNIQUE, z TEXT, CONSTRAINT uz UNIQUE (Z), UNIQUE (y, z))",
      [[CREATE TABLE c1 (a INTEGER CHECK (a > 0), b INTEGER, CONSTRAINT zz CHECK (b > a), CONSTRAINT "a quoted" CHECK (b IN (1, 2, ')')),
        CHECK (a <
          100 /* ) */))]])
    assert.are.same({name = "my_pk", constrained_columns = {"b", "a"}}, insp:get_pk_constraint("k1"))
    assert.are.same({name = "k2pk", constrained_columns = {"x"}}, insp:get_pk_constraint("k2"))
    assert.are.same({{column_names = {"y"}}, {name = "uz", column_names = {"z"}}, {column_names = {"y", "z"}}},
      insp:get_unique_constraints("k2"))
    assert.are.same({{name = "a quoted", sqltext = "b IN (1, 2, ')')"}, {name = "zz", sqltext = "b > a"}, {sqltext = "a > 0"},
      {sqltext = "a <\n          100"}}, insp:get_check_constraints("c1"))
    assert.are.same({}, insp:get_indexes("k2"))
  end)

  it("gives foreign keys in the order of the text, with their options", function()
    run("CREATE TABLE k1 (a INTEGER, b INTEGER, PRIMARY KEY (b, a))", "CREATE TABLE K2 (X INTEGER PRIMARY KEY)",
      [[CREATE TABLE f1 (id INTEGER PRIMARY KEY, a INTEGER REFERENCES k2 ON DELETE SET NULL, c INTEGER, d INTEGER, e INTEGER,
        CONSTRAINT fc FOREIGN KEY(c) REFERENCES k2 (x) ON DELETE CASCADE ON UPDATE SET  NULL,
        FOREIGN KEY(d, e) REFERENCES k1 (b, a) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT fe FOREIGN KEY(E) REFERENCES k2 (x) ON DELETE NO ACTION NOT DEFERRABLE, FOREIGN KEY (d, e) REFERENCES k1)]])
    assert.are.same({
      {constrained_columns = {"a"}, referred_table = "K2", referred_columns = {"X"}, options = {ondelete = "SET NULL"}},
      {name = "fc", constrained_columns = {"c"}, referred_table = "K2", referred_columns = {"X"},
        options = {ondelete = "CASCADE", onupdate = "SET NULL"}},
      {constrained_columns = {"d", "e"}, referred_table = "k1", referred_columns = {"b", "a"},
        options = {deferrable = true, initially = "DEFERRED"}},
      {name = "fe", constrained_columns = {"e"}, referred_table = "K2", referred_columns = {"X"}, options = {deferrable = false}},
      {constrained_columns = {"d", "e"}, referred_table = "k1", referred_columns = {"b", "a"}, options = {}},
    }, insp:get_multi_foreign_keys().f1)
    -- one table alone is read with what it refers to
    assert.are.same({"b", "a"}, insp:get_foreign_keys("f1")[5].referred_columns)
  end)

  it("gives generated columns, partial indexes, expressions, order and collations", function()
    run([[CREATE TABLE g (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) STORED, c INTEGER generated always AS (a + 1), d TEXT COLLATE NOCASE)]],
      "CREATE INDEX i1 ON g (a) WHERE a IS NOT NULL AND d <> ') where'", "CREATE UNIQUE INDEX i2 ON g (a DESC, d)",
      "CREATE INDEX i3 ON g (lower(d) DESC, a)", "CREATE INDEX i4 ON g (d COLLATE RTRIM, a)")
    local c = insp:get_columns("g")
    assert.are.same({{sqltext = "a * 2", persisted = true}, {sqltext = "a + 1", persisted = false}}, {c[2].computed, c[3].computed})
    assert.are.same({"INTEGER", "INTEGER", "TEXT", "NOCASE"}, {tostring(c[2].type), tostring(c[3].type), c[4].type.class_name, c[4].type.collation})
    assert.are.same({
      {name = "i1", column_names = {"a"}, unique = false, dialect_options = {sqlite_where = "a IS NOT NULL AND d <> ') where'"}},
      {name = "i2", column_names = {"a", "d"}, unique = true, column_sorting = {a = {"desc"}}, dialect_options = {}},
      {name = "i3", column_names = {ag.null, "a"}, unique = false, expressions = {"lower(d) DESC", "a"}, dialect_options = {}},
      {name = "i4", column_names = {ag.null, "a"}, unique = false, expressions = {"d COLLATE RTRIM", "a"}, dialect_options = {}},
    }, insp:get_indexes("g"))
    local metadata, texts = ag.MetaData(), {}
    metadata:reflect(engine)
    for i, ix in ipairs(metadata.tables.g.indexes) do texts[i] = tostring(ag.CreateIndex(ix):compile{dialect = "sqlite"}) end
    assert.are.same({"CREATE INDEX i1 ON g (a) WHERE a IS NOT NULL AND d <> ') where'", "CREATE UNIQUE INDEX i2 ON g (a DESC, d)",
      "CREATE INDEX i3 ON g (lower(d) DESC, a)", "CREATE INDEX i4 ON g (d COLLATE RTRIM, a)"}, texts)
  end)

  it("gives the options of tables", function()
    run("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)", "CREATE TABLE w (a TEXT PRIMARY KEY, b INT) WITHOUT ROWID",
      "CREATE TABLE p (a TEXT) ", "CREATE TABLE c (a TEXT NOT NULL ON CONFLICT IGNORE, UNIQUE (a) ON CONFLICT replace)")
    assert.are.same({a = {sqlite_autoincrement = true}, w = {sqlite_with_rowid = false}, p = {}, c = {}}, insp:get_multi_table_options())
    assert.are.same({sqlite_on_conflict_not_null = "IGNORE"}, insp:get_columns("c")[1].dialect_options)
    assert.are.same({sqlite_on_conflict = "REPLACE"}, insp:get_unique_constraints("c")[1].dialect_options)
    local metadata = ag.MetaData()
    metadata:reflect(engine)
    assert.are.equal("CREATE TABLE a ( id INTEGER PRIMARY KEY AUTOINCREMENT )",
      (tostring(ag.CreateTable(metadata.tables.a):compile{dialect = "sqlite"}):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")))
    assert.is_truthy(tostring(ag.CreateTable(metadata.tables.w):compile{dialect = "sqlite"}):find("WITHOUT ROWID", 1, true))
    assert.is_truthy(tostring(ag.CreateTable(metadata.tables.c):compile{dialect = "sqlite"}):find("NOT NULL ON CONFLICT IGNORE", 1, true))
    assert.is_truthy(tostring(ag.CreateTable(metadata.tables.c):compile{dialect = "sqlite"}):find("UNIQUE (a) ON CONFLICT REPLACE", 1, true))
  end)

  it("looks into attached databases, as schemas, and into the temporary one", function()
    run("ATTACH DATABASE ':memory:' AS \"other db\"", "CREATE TABLE \"other db\".k (id INTEGER PRIMARY KEY, t TEXT)",
      "CREATE TABLE \"other db\".r (id INTEGER PRIMARY KEY, k INTEGER REFERENCES k)", "CREATE INDEX \"other db\".ix ON r (k)",
      "CREATE TABLE m (id INTEGER)", "CREATE TEMP TABLE tmp (id INTEGER PRIMARY KEY, CHECK (id > 0))", "CREATE TEMP TABLE m (other INTEGER)")
    assert.are.same({"main", "other db"}, insp:get_schema_names())
    assert.is_true(insp:has_schema("other db"))
    assert.are.same({"k", "r"}, insp:get_table_names{schema = "other db"})
    assert.is_true(insp:has_table("r", {schema = "other db"}))
    assert.is_false(insp:has_table("r") or insp:has_table("r", {schema = "nowhere"}) or insp:has_table("m", {schema = "other db"}))
    assert.are.same({{constrained_columns = {"k"}, referred_schema = "other db", referred_table = "k", referred_columns = {"id"}, options = {}}},
      insp:get_foreign_keys("r", {schema = "other db"}))
    assert.are.equal("ix", insp:get_indexes("r", {schema = "other db"})[1].name)
    local metadata = ag.MetaData()
    metadata:reflect(engine, {schema = "other db"})
    local r = metadata.tables["other db.r"]
    assert.are.equal(metadata.tables["other db.k"].c.id, r.c.k.foreign_keys[1].column)
    assert.are.equal(1, #r.indexes)
    engine:begin(function(conn)
      conn:execute(ag.insert(metadata.tables["other db.k"]):values{id = 1, t = "x"})
      assert.are.equal("x", conn:scalar(ag.select(metadata.tables["other db.k"].c.t)))
    end)
    -- the temporary database
    assert.are.same({"m", "tmp"}, insp:get_temp_table_names())
    assert.are.equal("id > 0", insp:get_check_constraints("tmp")[1].sqltext)
    assert.are.equal("id", insp:get_columns("m")[1].name) -- main's comes first
    assert.is_nil(insp:get_multi_columns().tmp)
    assert.are.equal("other", insp:get_multi_columns{scope = ag.ObjectScope.TEMPORARY}.m[1].name)
    assert.are.equal("id", insp:get_multi_columns{scope = ag.ObjectScope.ANY}.m[1].name)
    assert.are.equal("other", insp:get_columns("m", {schema = "temp"})[1].name)
    assert.are.same({"other", "id"}, {insp:get_multi_columns{schema = "temp"}.m[1].name, insp:get_multi_columns{schema = "temp"}.tmp[1].name})
    assert.are.equal("tmp.c(id)", tostring(ag.Table("tmp", ag.MetaData(), {autoload_with = engine}).c))
  end)

  it("leaves SQLite's own tables out, unless they are asked for", function()
    run("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    assert.are.same({"a"}, insp:get_table_names())
    assert.are.same({"a", "sqlite_sequence"}, insp:get_table_names{sqlite_include_internal = true})
    assert.is_nil(insp:get_multi_columns().sqlite_sequence)
    assert.are.equal("name", insp:get_columns("sqlite_sequence")[1].name)
    assert.are.equal("type", insp:get_columns("sqlite_master")[1].name)
    assert.is_true(insp:has_table("sqlite_master"))
    local metadata = ag.MetaData()
    metadata:reflect(engine)
    assert.are.equal(1, #metadata.tables)
    metadata:reflect(engine, {sqlite_include_internal = true})
    assert.are.equal("sqlite_sequence.c(name, seq)", tostring(metadata.tables.sqlite_sequence.c))
  end)

  it("passes over a view that cannot be read, and says why when it is asked for", function()
    run("CREATE TABLE a (id INTEGER)", "CREATE VIEW good AS SELECT id FROM a", "CREATE VIEW bad AS SELECT x FROM nowhere")
    local views = insp:get_multi_columns{kind = ag.ObjectKind.ANY}
    assert.are.same({"id", "id", nil}, {views.a[1].name, views.good[1].name, views.bad})
    for _ = 1, 2 do
      local ok, e = pcall(insp.get_columns, insp, "bad")
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.UnreflectableTableError))
      assert.is_truthy(tostring(e):find("nowhere", 1, true))
    end
    local metadata = ag.MetaData()
    metadata:reflect(engine, {views = true})
    assert.are.equal(2, #metadata.tables)
    local ok, e = pcall(ag.Table, "bad", metadata, {autoload_with = engine})
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.UnreflectableTableError))
  end)

  it("reads hostile names back", function()
    local q = require "spec.support.schemas".quote
    for _, name in ipairs(require "spec.support.schemas".hostile) do
      run(("CREATE TABLE %s (%s INTEGER PRIMARY KEY, up INTEGER, CONSTRAINT %s FOREIGN KEY (up) REFERENCES %s (%s))"):format(q(name), q(name),
        q(name), q(name), q(name)), ("CREATE INDEX %s ON %s (%s)"):format(q(name .. "x"), q(name), q(name)))
      local metadata = ag.MetaData()
      metadata:reflect(engine)
      local t = metadata.tables[name]
      assert.are.equal(name, t.primary_key.columns[1].name)
      assert.are.equal(t.primary_key.columns[1], t.c.up.foreign_keys[1].column)
      assert.are.same({name, name .. "x"}, {insp:get_foreign_keys(name)[1].name, insp:get_indexes(name)[1].name})
      metadata:drop_all(engine)
      assert.are.same({}, ag.inspect(engine):get_table_names())
    end
  end)

  it("reads a chain of tables without nesting", function()
    local texts = {}
    for i = 1, 300 do texts[i] = ("CREATE TABLE t%d (id INTEGER PRIMARY KEY, p INTEGER REFERENCES t%d (id))"):format(i, math.min(i + 1, 300)) end
    run(table.unpack(texts))
    local metadata = ag.MetaData()
    ag.Table("t1", metadata, {autoload_with = engine})
    assert.are.equal(300, #metadata.tables)
  end)

  it("takes six queries for a whole schema", function()
    local texts = {}
    for i = 1, 30 do texts[i] = ("CREATE TABLE t%d (id INTEGER PRIMARY KEY, a TEXT UNIQUE, p INTEGER REFERENCES t%d (id))"):format(i, i) end
    run(table.unpack(texts))
    local n = 0
    ag.event.listen(engine, "before_cursor_execute", function() n = n + 1 end)
    ag.MetaData():reflect(engine)
    assert.are.equal(6, n)
  end)

  it("reads names with dots, in unions too", function()
    run([[CREATE TABLE "a.b" ("x.y" INTEGER, z TEXT)]], [[INSERT INTO "a.b" VALUES (1, 'q')]])
    local metadata = ag.MetaData()
    metadata:reflect(engine)
    local t = metadata.tables["a.b"]
    engine:begin(function(conn)
      local one = ag.select(t.c["x.y"], t.c.z)
      local result = conn:execute(ag.union(one, one))
      assert.are.same({"x.y", "z"}, result:keys())
      local row = result:one()
      assert.are.same({1, "q"}, {row["x.y"], row.z})
      assert.are.same({"x.y", "z"}, conn:exec_driver_sql([[SELECT "a.b"."x.y", main."a.b".z FROM "a.b" UNION SELECT * FROM "a.b"]]):keys())
    end)
  end)

  it("copies a database by what it reflects", function()
    run([[CREATE TABLE [Artist] ([ArtistId] INTEGER NOT NULL, [Name] NVARCHAR(120), CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId]))]],
      [[CREATE TABLE [Album] ([AlbumId] INTEGER NOT NULL, [Title] NVARCHAR(160) NOT NULL, [ArtistId] INTEGER NOT NULL, [Sold] DATETIME,
        [Price] NUMERIC(10,2), CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]), FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId])
        ON DELETE NO ACTION ON UPDATE NO ACTION)]], "CREATE INDEX [IFK_AlbumArtistId] ON [Album] ([ArtistId])",
      "INSERT INTO Artist VALUES (1, 'AC/DC'), (2, NULL), (3, 'Antônio ''Tom'' Jobim')",
      "INSERT INTO Album VALUES (1, 'High', 1, '2021-01-02 03:04:05.000000', 0.99), (2, 'Low', 3, NULL, 12), (3, '', 1, NULL, NULL)")
    local metadata, copy = ag.MetaData(), ag.create_engine("sqlite://")
    metadata:reflect(engine)
    metadata:create_all(copy)
    local from <close> = engine:connect()
    local to <close> = copy:connect()
    for _, t in ipairs(metadata.sorted_tables) do
      local list = {}
      for row in from:execute(ag.select(t)):rows() do
        local values = {}
        for i, c in ipairs(t.c) do values[c.key] = row[i] == nil and ag.null or row[i] end
        list[#list + 1] = values
      end
      to:execute(ag.insert(t), list)
    end
    for _, t in ipairs(metadata.sorted_tables) do
      local text = ("SELECT *, typeof(%s) FROM %s ORDER BY 1"):format(t.c[#t.c].name, t.name)
      local a, b = from:exec_driver_sql(text):all(), to:exec_driver_sql(text):all()
      assert.are.equal(3, #a)
      for i = 1, #a do assert.are.same(ag.to_table(a[i]), ag.to_table(b[i])) end
    end
    assert.are.same(insp:get_multi_foreign_keys(), ag.inspect(to):get_multi_foreign_keys())
    assert.are.same(insp:get_multi_indexes(), ag.inspect(to):get_multi_indexes())
  end)

  it("is there for a dialect in Lua that is based on SQLite's, or brings its own", function()
    local based = ag.dialects.register("reflecting", {base = "sqlite"})
    local own = ag.dialects.register("reflecting_itself", {base = "sqlite", reflection = {
      get_table_names = function(_, o) return {"asked for " .. tostring(o.schema)} end}})
    local e = ag.create_engine("sqlite://", {dialect = based})
    e:begin(function(conn) conn:exec_driver_sql("CREATE TABLE a (id INTEGER)") end)
    assert.are.same({"a"}, ag.inspect(e):get_table_names())
    e:dispose()
    e = ag.create_engine("sqlite://", {dialect = own})
    assert.are.same({"asked for x"}, ag.inspect(e):get_table_names{schema = "x"})
    local ok, raised = pcall(ag.inspect(e).get_view_names, ag.inspect(e))
    assert.is_false(ok)
    assert.is_true(raised:is(ag.exc.NotImplementedError))
    e:dispose()
  end)
end)
