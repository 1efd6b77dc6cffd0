--- The Inspector and MetaData:reflect on PostgreSQL: search path, schemas, views, types, what only PostgreSQL has.
local ag = require "argent"
local db = require "spec.support.db"

if not db.postgresql then
  describe("the Inspector of PostgreSQL", function()
    it("needs PostgreSQL", function() pending("pg_catalog") end)
  end)
  return
end

describe("the Inspector of PostgreSQL", function()
  local engine, conn

  local function run(...)
    for _, sql in ipairs{...} do conn:exec_driver_sql(sql) end
  end

  before_each(function()
    engine = db.engine()
    conn = engine:connect()
    run("DROP SCHEMA IF EXISTS other CASCADE", "CREATE SCHEMA other")
  end)
  after_each(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  it("sees without a schema what the search path finds first", function()
    run("CREATE TABLE t (a int)", "CREATE TABLE other.t (b int)", "CREATE TABLE other.u (c int)", "CREATE SEQUENCE other.s",
      "CREATE TYPE other.e AS ENUM ('x')", "CREATE VIEW other.v AS SELECT 1 AS one", "CREATE MATERIALIZED VIEW other.m AS SELECT 1 AS one")
    local insp = ag.inspect(conn)
    assert.equal("public", insp.default_schema_name)
    assert.same({"t"}, insp:get_table_names())
    assert.equal("a", insp:get_columns("t")[1].name)
    assert.equal("b", insp:get_columns("t", {schema = "other"})[1].name)
    assert.is_false(insp:has_table("u"))
    assert.is_false(insp:has_sequence("s"))
    assert.is_false(insp:has_type("e"))
    assert.is_true(insp:has_type("e", {schema = "*"}))
    run("SET LOCAL search_path = other, public")
    insp = ag.inspect(conn)
    assert.equal("other", insp.default_schema_name)
    assert.same({"t", "u"}, insp:get_table_names())
    assert.equal("b", insp:get_columns("t")[1].name)
    assert.equal("a", insp:get_columns("t", {schema = "public"})[1].name)
    assert.is_true(insp:has_sequence("s"))
    assert.is_true(insp:has_type("e"))
    assert.same({"v"}, insp:get_view_names())
    assert.same({"m"}, insp:get_materialized_view_names())
    assert.same({"s"}, insp:get_sequence_names())
    assert.same({{name = "e", schema = "other", visible = true, labels = {"x"}}}, insp:get_enums())
    assert.same({}, insp:get_domains())
    assert.same({}, insp:get_foreign_table_names())
  end)

  it("raises for tables that are not there, and knows temporary ones", function()
    run("CREATE TEMPORARY TABLE tt (a int)", "CREATE TEMPORARY VIEW tv AS SELECT a FROM tt")
    local insp = ag.inspect(conn)
    assert.same({"tt"}, insp:get_temp_table_names())
    assert.same({"tv"}, insp:get_temp_view_names())
    assert.same({}, insp:get_table_names())
    assert.equal("a", insp:get_columns("tt")[1].name)
    assert.same({tt = {}}, insp:get_multi_indexes{scope = ag.ObjectScope.TEMPORARY})
    local ok, e = pcall(insp.get_columns, insp, "t", {schema = "other"})
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoSuchTableError))
    assert.matches("other.t", e.message, 1, true)
  end)

  it("reflects tables of several schemas; foreign keys lead from one to the other", function()
    run("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE other.b (id int PRIMARY KEY, a int REFERENCES a, up int REFERENCES other.b)",
      "CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES other.b)")
    local metadata = ag.MetaData()
    metadata:reflect(conn)
    local tables = metadata.tables
    assert.is_not_nil(tables["other.b"])
    assert.equal(tables["other.b"].c.id, tables.c.c.b.foreign_keys[1].column)
    assert.equal(tables.a.c.id, tables["other.b"].c.a.foreign_keys[1].column)
    assert.equal(tables["other.b"].c.id, tables["other.b"].c.up.foreign_keys[1].column)
    metadata = ag.MetaData()
    metadata:reflect(conn, {resolve_fks = false})
    assert.is_nil(metadata.tables["other.b"])
    metadata = ag.MetaData()
    metadata:reflect(conn, {schema = "other", only = {"b"}})
    assert.same({"a", "other.b"}, (function()
      local names = {}
      for name in pairs(metadata.tables) do names[#names + 1] = name end
      table.sort(names)
      return names
    end)())
  end)

  it("gives reflected objects the options that were read", function()
    run("CREATE TABLE p (id int PRIMARY KEY, a int, b text, UNIQUE (a) INCLUDE (b)) WITH (fillfactor = 50)",
      "CREATE TABLE c (p int CONSTRAINT c_p REFERENCES p MATCH FULL ON UPDATE RESTRICT ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED)",
      "CREATE INDEX ix ON p USING btree (b text_pattern_ops) INCLUDE (a) WITH (fillfactor = 60) WHERE a > 3")
    local m = ag.MetaData()
    m:reflect(conn)
    local p, fk = m.tables.p, m.tables.c.c.p.foreign_keys[1]
    for _, o in ipairs{fk, fk.constraint} do
      assert.same({"FULL", "RESTRICT", "RESTRICT", true, "DEFERRED"}, {o.match, o.onupdate, o.ondelete, o.deferrable, o.initially})
    end
    local ix = p.indexes[1].dialect_options.postgresql
    assert.equal("(a > 3)", tostring(ix.where))
    assert.same({{"a"}, {b = "text_pattern_ops"}, {fillfactor = "60"}}, {ix.include, ix.ops, ix.with})
    assert.same({postgresql_with = {fillfactor = "50"}}, p.dialect_kwargs)
    assert.same({"b"}, m.tables.p.constraints[2].dialect_options.postgresql.include)
  end)

  it("leads to the search path's table of a name, though the MetaData has a default schema with such a table", function()
    run("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE other.t (id int PRIMARY KEY)",
      "CREATE TABLE other.u (a int REFERENCES t, b int REFERENCES other.t)")
    local m = ag.MetaData{schema = "other"}
    m:reflect(conn)
    local u = m.tables["other.u"]
    local function ends(tab) return tab.c.a.foreign_keys[1].column.table.fullname .. " " .. tab.c.b.foreign_keys[1].column.table.fullname end
    assert.equal("t other.t", ends(u))
    local copy = ag.MetaData{schema = "other"}
    for _, tab in ipairs(m.sorted_tables) do tab:to_metadata(copy, {schema = tab.schema or ag.BLANK_SCHEMA}) end
    assert.equal("t other.t", ends(copy.tables["other.u"]))
    m:drop_all(conn)
    m:create_all(conn)
    assert.equal("t", ag.inspect(conn):get_foreign_keys("u", {schema = "other"})[1].referred_table)
  end)

  it("names the schema of a foreign key where postgresql_ignore_search_path says so", function()
    run("CREATE TABLE other.p (id int PRIMARY KEY)", "CREATE TABLE t (p int REFERENCES other.p)", "SET LOCAL search_path = public, other")
    local t = ag.Table("t", ag.MetaData(), {autoload_with = conn})
    assert.equal("p", t.c.p.foreign_keys[1].column.table.fullname)
    t = ag.Table("t", ag.MetaData(), {autoload_with = conn, postgresql_ignore_search_path = true})
    assert.equal("other.p", t.c.p.foreign_keys[1].column.table.fullname)
    assert.equal("other", ag.inspect(conn):get_foreign_keys("t", {postgresql_ignore_search_path = true})[1].referred_schema)
  end)

  it("reflects views and materialized views, but creates them as no table", function()
    run("CREATE TABLE t (a int, b numeric(5, 2))", "CREATE VIEW v AS SELECT a, b FROM t", "CREATE MATERIALIZED VIEW m AS SELECT b FROM t")
    local metadata = ag.MetaData()
    metadata:reflect(conn, {views = true})
    assert.equal("v.c(a, b)", tostring(metadata.tables.v.c))
    assert.equal("NUMERIC(5, 2)", tostring(metadata.tables.m.c.b.type))
    run("DROP MATERIALIZED VIEW m", "DROP VIEW v")
    metadata:create_all(conn)
    assert.is_false(ag.inspect(conn):has_table("v"))
  end)

  it("finds EXCLUDE constraints", function()
    run("CREATE TABLE t (a int, r int4range, CONSTRAINT x EXCLUDE USING gist (r WITH &&, int4range(a, a) WITH -|-) WHERE (a > 3) "
      .. "DEFERRABLE)", "COMMENT ON CONSTRAINT x ON t IS 'why'")
    local insp = ag.inspect(conn)
    assert.same({{name = "x", using = "gist", where = "(a > 3)", comment = "why", options = {deferrable = true},
      elements = {{column = "r", operator = "&&"}, {expression = "int4range(a, a)", operator = "-|-"}}}}, insp:get_exclude_constraints("t"))
    assert.equal("x", insp:get_indexes("t")[1].duplicates_constraint)
    local t = ag.Table("t", ag.MetaData(), {autoload_with = conn})
    assert.equal(0, #t.indexes)
    assert.matches("CONSTRAINT x EXCLUDE USING gist (r WITH &&, int4range(a, a) WITH -|-) WHERE ((a > 3)) DEFERRABLE",
      ag.CreateTable(t):compile{dialect = "postgresql"}.string, 1, true)
  end)

  it("asks for several tables at once, and for oids", function()
    run("CREATE TABLE t (a int)", "CREATE VIEW other.v AS SELECT 1 AS one")
    local insp = ag.inspect(conn)
    assert.same({t = true, v = false}, insp:has_multi_table{"t", "v"})
    assert.same({t = false, v = true}, insp:has_multi_table({"t", "v"}, {schema = "other"}))
    assert.equal(conn:scalar(ag.text "SELECT CAST('t' AS regclass)::oid"), insp:get_table_oid("t"))
    assert.is_number(insp:get_table_oid("v", {schema = "other"}))
    local ok, e = pcall(insp.get_table_oid, insp, "v")
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoSuchTableError))
    ok, e = pcall(insp.has_multi_table, insp, "t")
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.ArgumentError))
  end)

  it("knows foreign tables, but does not take them for tables", function()
    run("CREATE FOREIGN DATA WRAPPER w", "CREATE SERVER s FOREIGN DATA WRAPPER w",
      "CREATE FOREIGN TABLE f (a int NOT NULL, b text DEFAULT 'x') SERVER s")
    local insp = ag.inspect(conn)
    assert.same({}, insp:get_table_names())
    assert.same({"f"}, insp:get_foreign_table_names())
    assert.is_true(insp:has_table("f"))
    local t = ag.Table("f", ag.MetaData(), {autoload_with = conn})
    assert.equal("f.c(a, b)", tostring(t.c))
    assert.is_false(t.c.a.nullable)
  end)

  it("reflects types of extensions, enums without labels and collations with a schema", function()
    local there = conn:scalar(ag.text "SELECT count(*) FROM pg_available_extensions WHERE name IN ('citext', 'hstore')")
    run("CREATE TYPE nothing AS ENUM ()", "CREATE COLLATION other.\"My Own\" FROM \"C\"",
      "CREATE TABLE t (a nothing, b text COLLATE other.\"My Own\", c varchar(3)[] COLLATE other.\"My Own\")")
    local metadata = ag.MetaData()
    metadata:reflect(conn)
    local c = metadata.tables.t.c
    assert.same({{}, "nothing"}, {c.a.type.enums, c.a.type.name})
    assert.same({"My Own", "other"}, {c.b.type.collation, c.b.type.collation_schema})
    assert.equal('TEXT({collation_schema = "other", collation = "My Own"})', tostring(c.b.type))
    run("DROP TABLE t", "DROP TYPE nothing")
    metadata:create_all(conn)
    local again = ag.Table("t", ag.MetaData(), {autoload_with = conn})
    for _, name in ipairs{"a", "b", "c"} do assert.equal(c[name].type, again.c[name].type) end
    if there == 2 then
      run("CREATE EXTENSION citext", "CREATE EXTENSION hstore SCHEMA other", "CREATE TABLE x (a citext, b other.hstore, c citext[])")
      local x = ag.Table("x", ag.MetaData(), {autoload_with = conn}).c
      assert.same({ag.postgresql.CITEXT, ag.postgresql.HSTORE, "ARRAY"}, {x.a.type, x.b.type, x.c.type.class_name})
    end
  end)

  it("reflects SERIAL as SERIAL, and other sequences as the MetaData's", function()
    run("CREATE SEQUENCE own START 7", "CREATE TABLE t (id serial PRIMARY KEY, n int DEFAULT nextval('own'))",
      "CREATE TABLE u (id int PRIMARY KEY DEFAULT nextval('own'))")
    local metadata = ag.MetaData()
    metadata:reflect(conn)
    assert.matches("id SERIAL NOT NULL", ag.CreateTable(metadata.tables.t):compile{dialect = "postgresql"}.string)
    assert.matches("id INTEGER DEFAULT nextval('own'::regclass) NOT NULL", ag.CreateTable(metadata.tables.u):compile{
      dialect = "postgresql"}.string, 1, true)
    run("DROP TABLE t, u", "DROP SEQUENCE own")
    metadata:create_all(conn)
    assert.equal(7, conn:scalar(ag.text "SELECT nextval('own')"))
    conn:execute(ag.insert(metadata.tables.t):values{})
    local row = conn:execute(ag.select(metadata.tables.t)):one()
    assert.same({1, 8}, {row.id, row.n})
  end)

  it("reflects identity, generated and commented columns into Table", function()
    run("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2) PRIMARY KEY, a int DEFAULT 3, "
      .. "b int GENERATED ALWAYS AS (a + 1) STORED)", "COMMENT ON TABLE t IS 'tc'", "COMMENT ON COLUMN t.a IS 'cc'")
    local t = ag.Table("t", ag.MetaData(), {autoload_with = conn})
    assert.is_true(t.c.id.identity.always)
    assert.equal(5, t.c.id.identity.start)
    assert.equal(2, t.c.id.identity.increment)
    assert.is_true(t.c.b.computed.persisted)
    assert.equal("(a + 1)", tostring(t.c.b.computed.sqltext))
    assert.same({"tc", "cc"}, {t.comment, t.c.a.comment})
    local row = conn:execute(ag.insert(t):values{}:returning(t.c.id, t.c.a, t.c.b)):one()
    assert.same({5, 3, 4}, {row.id, row.a, row.b})
  end)

  it("creates, uses, reflects and drops domains", function()
    local pg = ag.postgresql
    local metadata = ag.MetaData()
    local t = ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a", pg.DOMAIN("d_int", ag.Integer, {check = "VALUE > 0"})),
      ag.Column("b", pg.DOMAIN("d_list", pg.ARRAY(ag.Text))), ag.Column("c", pg.DOMAIN("d_enum", pg.ENUM({"x", "y"}, {name = "d_of"}))),
      ag.Column("d", pg.DOMAIN("d_time", ag.DateTime)), ag.Column("f", pg.DOMAIN("d_json", pg.JSONB)),
      ag.Column("g", pg.DOMAIN("d_over", pg.DOMAIN("d_num", ag.Numeric(10, 2), {default = ag.text "1.5"}))),
    })
    metadata:create_all(conn)
    conn:execute(ag.insert(t):values{a = 5, b = {"p", "q"}, c = "x", d = ag.datetime("2024-01-01 10:00:00"), f = {k = 1}})
    for _, tab in ipairs{t, ag.Table("t", ag.MetaData(), {autoload_with = conn})} do
      local row = conn:execute(ag.select(tab):where(tab.c.a:gt(3) & tab.c.b:contains{"p"})):one()
      assert.same({5, "q", "x", "2024-01-01 10:00:00", 1, "1.50"}, {row.a, row.b[2], row.c, tostring(row.d), row.f.k, tostring(row.g)})
    end
    assert.equal(7, #ag.inspect(conn):get_domains())
    metadata:drop_all(conn)
    assert.same({}, ag.inspect(conn):get_domains())
    assert.same({}, ag.inspect(conn):get_enums())
    metadata:create_all(conn)
    local ok, e = pcall(conn.execute, conn, ag.insert(t):values{a = -5})
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.IntegrityError))
    assert.equal("d_int_check", e.constraint)
  end)

  it("reads a whole schema in as many queries as one table", function()
    local n = 0
    local function count() n = n + 1 end
    local function queries(fn)
      n = 0
      ag.event.listen(engine, "before_cursor_execute", count)
      fn()
      ag.event.remove(engine, "before_cursor_execute", count)
      return n
    end
    run("CREATE TYPE e AS ENUM ('x')")
    for i = 1, 20 do run(("CREATE TABLE t%d (id int PRIMARY KEY, e e, up int REFERENCES t%d)"):format(i, math.max(1, i - 1))) end
    assert.equal(11, queries(function() ag.MetaData():reflect(conn) end))
    assert.equal(11, queries(function() ag.MetaData():reflect(conn, {only = {"t1"}}) end))
    assert.equal(2, queries(function() ag.inspect(conn):get_multi_columns() end))
    assert.equal(1, queries(function() ag.inspect(conn):get_multi_foreign_keys() end))
  end)
end)
