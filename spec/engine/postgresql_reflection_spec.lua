--- What PostgreSQL's catalog says, as Inspector's dialect module reads it: compared with what was declared in SQL.
local ag = require "argent"
local db = require "spec.support.db"

if not db.postgresql then
  describe("reflection of PostgreSQL", function()
    it("needs PostgreSQL", function() pending("pg_catalog") end)
  end)
  return
end

local reflect = require "argent.reflect.postgresql"

--- Type as PostgreSQL's DDL writes it.
local function ddl(type_)
  local sql = ag.CreateTable(ag.Table("t", ag.MetaData(), {ag.Column("c", type_)})):compile{dialect = "postgresql"}.string
  return sql:match("c (.*)\n%)")
end

--- What warn() was told while fn ran.
local function warnings(fn)
  local list, old = {}, _G.warn
  _G.warn = function(text) list[#list + 1] = text end
  local ok, e = pcall(fn)
  _G.warn = old
  if not ok then error(e, 0) end
  return list
end

local function by_name(list)
  local out = {}
  for _, x in ipairs(list) do out[x.name] = x end
  return out
end

describe("reflection of PostgreSQL", function()
  local conn

  local function run(...)
    for _, sql in ipairs{...} do conn:exec_driver_sql(sql) end
  end

  local function columns(name, schema)
    return by_name(reflect.get_multi_columns(conn, {schema = schema, filter_names = {name}, kind = 7})[name])
  end

  before_each(function()
    local engine = db.engine()
    conn = engine:connect()
    run("DROP SCHEMA IF EXISTS other CASCADE", "CREATE SCHEMA other")
  end)
  after_each(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  describe("of types", function()
    local plain = {
      "INTEGER", "SMALLINT", "BIGINT", "NUMERIC", "NUMERIC(10, 0)=numeric(10)", "NUMERIC(10, 2)", "REAL", "DOUBLE PRECISION",
      "TEXT", "VARCHAR", "VARCHAR(5)", "CHAR(1)=char", "CHAR(5)", "VARCHAR=name", "BOOLEAN", "BYTEA", "DATE", "JSON", "JSONB",
      "UUID", "INET", "CIDR", "MACADDR", "MACADDR8", "MONEY", "OID", "REGCLASS", "TSVECTOR", "TSQUERY", "JSONPATH",
      "TIMESTAMP WITHOUT TIME ZONE=timestamp", "TIMESTAMP(3) WITHOUT TIME ZONE=timestamp(3)", "TIMESTAMP WITH TIME ZONE=timestamptz",
      "TIMESTAMP(0) WITH TIME ZONE=timestamptz(0)", "TIME WITHOUT TIME ZONE=time", "TIME(2) WITHOUT TIME ZONE=time(2)",
      "TIME WITH TIME ZONE=timetz", "TIME(4) WITH TIME ZONE=timetz(4)", "INTERVAL", "INTERVAL (3)=interval(3)",
      "INTERVAL year", "INTERVAL day to second", "INTERVAL day to second (2)=interval day to second(2)",
      "INTERVAL second (1)=interval second(1)", "BIT(1)=bit", "BIT(5)", "BIT VARYING", "BIT VARYING(7)",
      "INT4RANGE", "INT8RANGE", "NUMRANGE", "DATERANGE", "TSRANGE", "TSTZRANGE", "INTEGER[]", "TEXT[][]", "NUMERIC(10, 2)[][][]",
      "VARCHAR(3)[]", "TIMESTAMP(3) WITH TIME ZONE[]=timestamptz(3)[]", "INT4RANGE[]", 'TEXT COLLATE "C"', 'VARCHAR(10) COLLATE "C"',
      'TEXT[] COLLATE "POSIX"',
    }

    it("finds each as it was declared, alone and through a view", function()
      local parts, want = {}, {}
      for i, text in ipairs(plain) do
        local shown, declared = text:match("^(.-)=(.*)$")
        want[i] = shown or text
        parts[i] = ("c%d %s"):format(i, declared or text)
      end
      run("CREATE TABLE types (" .. table.concat(parts, ", ") .. ")", "CREATE VIEW seen AS SELECT * FROM types")
      local found, seen = columns("types"), columns("seen")
      for i, text in ipairs(want) do
        assert.equal(text, ddl(found["c" .. i].type))
        assert.equal((text:gsub("(%[%])[%[%]]+", "%1")), (ddl(seen["c" .. i].type):gsub("(%[%])[%[%]]+", "%1")))
      end
    end)

    it("finds enums and arrays of them, with the schema where the search path has it not", function()
      run("CREATE TYPE color AS ENUM ('red', 'it''s')", "CREATE TYPE other.\"Mo od\" AS ENUM ('a\"b')",
        "CREATE TABLE t (a color, b color[], c other.\"Mo od\"[][])")
      local c = columns("t")
      assert.same({"red", "it's"}, c.a.type.enums)
      assert.equal("color", c.a.type.name)
      assert.is_nil(c.a.type.schema)
      assert.equal("color[]", ddl(c.b.type))
      assert.equal('other."Mo od"[][]', ddl(c.c.type))
      assert.same({'a"b'}, c.c.type.item_type.enums)
    end)

    it("finds domains with what they are made of; their defaults and NOT NULL hold for the column", function()
      run("CREATE DOMAIN small AS integer DEFAULT 5 NOT NULL CHECK (VALUE < 100)", "CREATE DOMAIN over AS small",
        "CREATE DOMAIN other.short AS varchar(30)", "ALTER DOMAIN small ADD CONSTRAINT \"a b\" CHECK (VALUE > 0)",
        "CREATE DOMAIN list AS integer[]", "CREATE DOMAIN stamp AS timestamp(3) with time zone",
        "CREATE TABLE t (a small, b other.short, c list, d over, e small DEFAULT 7, f small[], g stamp)")
      local c = columns("t")
      assert.equal("small", ddl(c.a.type))
      assert.equal("5", c.a.default)
      assert.is_false(c.a.nullable)
      assert.equal("CREATE DOMAIN small AS INTEGER DEFAULT 5 NOT NULL CONSTRAINT \"a b\" CHECK (VALUE > 0) CONSTRAINT small_check "
        .. "CHECK (VALUE < 100)", ag.postgresql.CreateType(c.a.type):compile{dialect = "postgresql"}.string)
      assert.equal("7", c.e.default)
      assert.equal("other.short", ddl(c.b.type))
      assert.equal("VARCHAR(30)", ddl(c.b.type.impl))
      assert.is_true(c.b.nullable)
      assert.equal("INTEGER[]", ddl(c.c.type.impl))
      assert.equal("small", ddl(c.d.type.impl))
      assert.equal("INTEGER", ddl(c.d.type.impl.impl))
      assert.equal("small[]", ddl(c.f.type))
      assert.is_nil(c.f.default)
      assert.equal("TIMESTAMP(3) WITH TIME ZONE", ddl(c.g.type.impl))
    end)

    it("warns about a type it does not know, and gives NullType", function()
      run("CREATE TYPE pair AS (a int, b int)", "CREATE TYPE fr AS RANGE (subtype = float8)", "CREATE DOMAIN date AS text",
        "CREATE TABLE t (a point, b pair, c fr, d xml[], e public.date)")
      local c
      local list = warnings(function() c = columns("t") end)
      assert.same({
        "argent: Did not recognize type 'point' of column 'a'", "argent: Did not recognize type 'pair' of column 'b'",
        "argent: Did not recognize type 'fr' of column 'c'", "argent: Did not recognize type 'xml' of column 'd'",
      }, list)
      assert.equal("NullType", c.a.type.class_name)
      assert.equal("DOMAIN", c.e.type.class_name)
    end)

    it("lists enums and domains by schema", function()
      run("CREATE TYPE color AS ENUM ('red', 'green')", "CREATE TYPE other.mood AS ENUM ()",
        "CREATE DOMAIN d AS varchar(5) COLLATE \"C\" DEFAULT 'x' CONSTRAINT b CHECK (VALUE <> 'b') CONSTRAINT a CHECK (VALUE <> 'a')")
      assert.same({{name = "color", schema = "public", visible = true, labels = {"red", "green"}}}, reflect.get_enums(conn, {}))
      assert.same({{name = "mood", schema = "other", visible = false, labels = {}}}, reflect.get_enums(conn, {schema = "other"}))
      assert.equal(2, #reflect.get_enums(conn, {schema = "*"}))
      assert.same({{name = "d", schema = "public", visible = true, type = "character varying(5)", nullable = true,
        default = "'x'::character varying", collation = "C",
        constraints = {{name = "a", check = "VALUE::text <> 'a'::text"}, {name = "b", check = "VALUE::text <> 'b'::text"}}}},
        reflect.get_domains(conn, {}))
      assert.same({}, reflect.get_domains(conn, {schema = "other"}))
    end)
  end)

  describe("of columns", function()
    it("finds defaults, NOT NULL and comments; a dropped column is gone", function()
      run("CREATE TABLE t (gone int, a int NOT NULL DEFAULT 5, b text DEFAULT 'it''s', c timestamptz DEFAULT now(), d int)",
        "ALTER TABLE t DROP COLUMN gone", "COMMENT ON COLUMN t.d IS 'it''s'")
      local list = reflect.get_multi_columns(conn, {filter_names = {"t"}}).t
      assert.equal(4, #list)
      local c = by_name(list)
      assert.equal("5", c.a.default)
      assert.is_false(c.a.nullable)
      assert.equal("'it''s'::text", c.b.default)
      assert.equal("now()", c.c.default)
      assert.is_nil(c.d.default)
      assert.is_true(c.d.nullable)
      assert.equal("it's", c.d.comment)
      assert.is_false(c.d.autoincrement)
    end)

    it("finds serial, identity and generated columns", function()
      run("CREATE TABLE other.t (id serial, i int GENERATED ALWAYS AS IDENTITY, b bigint GENERATED BY DEFAULT AS IDENTITY "
        .. "(START 10 INCREMENT -2 MINVALUE -100 MAXVALUE 50 CACHE 7 CYCLE), g int GENERATED ALWAYS AS (i * 2) STORED)")
      local c = columns("t", "other")
      assert.equal("nextval('other.t_id_seq'::regclass)", c.id.default)
      assert.is_true(c.id.autoincrement)
      assert.is_nil(c.id.identity)
      assert.same({always = true, start = 1, increment = 1, minvalue = 1, maxvalue = 2147483647, cache = 1, cycle = false}, c.i.identity)
      assert.is_true(c.i.autoincrement)
      assert.same({always = false, start = 10, increment = -2, minvalue = -100, maxvalue = 50, cache = 7, cycle = true}, c.b.identity)
      assert.same({sqltext = "(i * 2)", persisted = true}, c.g.computed)
      assert.is_nil(c.g.default)
      run("SET LOCAL search_path = other")
      assert.equal("nextval('\"other\".t_id_seq'::regclass)", columns("t", "other").id.default)
      assert.equal("nextval('t_id_seq'::regclass)", columns("t").id.default)
    end)

    it("gives a table without columns an empty list", function()
      run("CREATE TABLE nothing ()")
      assert.same({nothing = {}}, reflect.get_multi_columns(conn, {filter_names = {"nothing"}}))
    end)
  end)

  describe("of keys", function()
    it("finds primary keys and UNIQUE with all that they can have", function()
      run("CREATE TABLE t (a int, b int, c text, d int, PRIMARY KEY (b, a) INCLUDE (c), CONSTRAINT u UNIQUE (c, d) INCLUDE (a) "
        .. "DEFERRABLE INITIALLY DEFERRED)", "COMMENT ON CONSTRAINT u ON t IS 'why'", "CREATE TABLE none (a int)")
      local pk = reflect.get_multi_pk_constraint(conn, {})
      assert.same({constrained_columns = {"b", "a"}, name = "t_pkey", options = {}, dialect_options = {postgresql_include = {"c"}}},
        pk.t)
      assert.same({constrained_columns = {}}, pk.none)
      local u = reflect.get_multi_unique_constraints(conn, {})
      assert.same({{column_names = {"c", "d"}, name = "u", comment = "why", options = {deferrable = true, initially = "DEFERRED"},
        dialect_options = {postgresql_include = {"a"}, postgresql_nulls_not_distinct = false}}}, u.t)
      assert.same({}, u.none)
    end)

    it("finds foreign keys with all their options", function()
      run("CREATE TABLE p (a int, b int, PRIMARY KEY (a, b))", 'CREATE TABLE other."P q" ("x ""y" int PRIMARY KEY)',
        "CREATE TABLE t (a int, b int, c int, CONSTRAINT k1 FOREIGN KEY (b, a) REFERENCES p (a, b) MATCH FULL ON UPDATE CASCADE "
        .. "ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, CONSTRAINT k2 FOREIGN KEY (c) REFERENCES other.\"P q\" ON DELETE "
        .. "RESTRICT DEFERRABLE, CONSTRAINT k3 FOREIGN KEY (a, b) REFERENCES p ON DELETE SET DEFAULT)",
        "ALTER TABLE t ADD CONSTRAINT k4 FOREIGN KEY (c) REFERENCES other.\"P q\" NOT VALID", "COMMENT ON CONSTRAINT k1 ON t IS 'why'")
      local fks = reflect.get_multi_foreign_keys(conn, {})
      assert.same({}, fks.p)
      local k = by_name(fks.t)
      assert.same({name = "k1", constrained_columns = {"b", "a"}, referred_table = "p", referred_columns = {"a", "b"}, comment = "why",
        options = {match = "FULL", onupdate = "CASCADE", ondelete = "SET NULL", deferrable = true, initially = "DEFERRED"}}, k.k1)
      assert.same({name = "k2", constrained_columns = {"c"}, referred_schema = "other", referred_table = "P q",
        referred_columns = {'x "y'}, options = {ondelete = "RESTRICT", deferrable = true}}, k.k2)
      assert.same({ondelete = "SET DEFAULT"}, k.k3.options)
      assert.same({postgresql_not_valid = true}, k.k4.options)
    end)

    it("gives the referred schema as the search path sees it", function()
      run("CREATE TABLE p (a int PRIMARY KEY)", "CREATE TABLE other.q (a int PRIMARY KEY, b int REFERENCES other.q, c int REFERENCES p)")
      local function schemas(o)
        local out = {}
        for _, fk in ipairs(reflect.get_multi_foreign_keys(conn, o).q) do out[fk.constrained_columns[1]] = fk.referred_schema or "-" end
        return out
      end
      assert.same({b = "other", c = "-"}, schemas{schema = "other"})
      assert.same({b = "other", c = "other"}, schemas{schema = "other", postgresql_ignore_search_path = true})
      run("SET LOCAL search_path = other, public")
      assert.same({b = "-", c = "-"}, schemas{})
      assert.same({b = "other", c = "-"}, schemas{schema = "other"})
      assert.same({b = "-", c = "public"}, schemas{postgresql_ignore_search_path = true})
    end)

    it("finds checks, with what is said about them", function()
      run("CREATE TABLE t (a int, b int, CONSTRAINT c1 CHECK ((a > 1) AND (b < 5)), CONSTRAINT c2 CHECK ((a > 3)) NO INHERIT, "
        .. "CONSTRAINT \"c 3\" CHECK (a > 1 OR b > 2))", "ALTER TABLE t ADD CONSTRAINT c4 CHECK (b > 0) NOT VALID")
      assert.same({
        {name = "c 3", sqltext = "a > 1 OR b > 2"}, {name = "c1", sqltext = "a > 1 AND b < 5"},
        {name = "c2", sqltext = "a > 3", dialect_options = {no_inherit = true}},
        {name = "c4", sqltext = "b > 0", dialect_options = {not_valid = true}},
      }, reflect.get_multi_check_constraints(conn, {}).t)
    end)
  end)

  it("finds indexes: order, expressions, classes, method, storage, condition, INCLUDE", function()
    run("CREATE TABLE t (id int PRIMARY KEY, a int, b text, c text, j jsonb, CONSTRAINT u UNIQUE (a))",
      "CREATE INDEX i1 ON t (a DESC, b NULLS FIRST, c DESC NULLS LAST)", "CREATE UNIQUE INDEX i2 ON t (a) WHERE b = 'x'",
      "CREATE INDEX i3 ON t (lower(b), a DESC)", "CREATE INDEX i4 ON t USING gin (j jsonb_path_ops)",
      "CREATE INDEX i5 ON t (b text_pattern_ops) INCLUDE (a, c) WITH (fillfactor = 70)", "CREATE INDEX i6 ON t USING hash (b)")
    local ix = by_name(reflect.get_multi_indexes(conn, {}).t)
    assert.is_nil(ix.t_pkey)
    assert.same({name = "u", unique = true, column_names = {"a"}, duplicates_constraint = "u",
      dialect_options = {postgresql_include = {}}}, ix.u)
    assert.same({"a", "b", "c"}, ix.i1.column_names)
    assert.same({a = {"desc"}, b = {"nulls_first"}, c = {"desc", "nulls_last"}}, ix.i1.column_sorting)
    assert.is_true(ix.i2.unique)
    assert.equal("(b = 'x'::text)", ix.i2.dialect_options.postgresql_where)
    assert.same({"lower(b)", "a"}, ix.i3.expressions)
    assert.equal(ag.null, ix.i3.column_names[1])
    assert.equal("a", ix.i3.column_names[2])
    assert.same({postgresql_using = "gin", postgresql_ops = {j = "jsonb_path_ops"}, postgresql_include = {}}, ix.i4.dialect_options)
    assert.same({postgresql_ops = {b = "text_pattern_ops"}, postgresql_include = {"a", "c"}, postgresql_with = {fillfactor = "70"}},
      ix.i5.dialect_options)
    assert.equal("hash", ix.i6.dialect_options.postgresql_using)
  end)

  it("finds NULLS NOT DISTINCT and the columns of SET NULL", function()
    if conn.engine.server_version < 150000 then pending("PostgreSQL 15") return end
    run("CREATE TABLE t (a int, b int, CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a, b), FOREIGN KEY (a, b) REFERENCES t (a, b) ON DELETE "
      .. "SET NULL (b))", "CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT")
    assert.is_true(reflect.get_multi_unique_constraints(conn, {}).t[1].dialect_options.postgresql_nulls_not_distinct)
    assert.is_true(reflect.get_multi_indexes(conn, {}).t[1].dialect_options.postgresql_nulls_not_distinct)
    assert.same({ondelete = "SET NULL (b)"}, reflect.get_multi_foreign_keys(conn, {}).t[1].options)
  end)

  describe("of tables", function()
    it("finds comments, storage, parents and partitioning", function()
      run("CREATE TABLE a (x int) WITH (fillfactor = 50, autovacuum_enabled = false)", "CREATE TABLE b (y int)",
        "CREATE TABLE c (z int) INHERITS (b, a)", "CREATE TABLE p (k int, t text) PARTITION BY RANGE (k, lower(t))",
        "COMMENT ON TABLE a IS 'it''s'")
      local o = reflect.get_multi_table_options(conn, {})
      assert.same({postgresql_with = {fillfactor = "50", autovacuum_enabled = "false"}}, o.a)
      assert.same({}, o.b)
      assert.same({postgresql_inherits = {"b", "a"}}, o.c)
      assert.same({postgresql_partition_by = "RANGE (k, lower(t))"}, o.p)
      local comments = reflect.get_multi_table_comment(conn, {})
      assert.same({text = "it's"}, comments.a)
      assert.same({}, comments.b)
    end)

    it("does not repeat a foreign key for each partition it refers to", function()
      run("CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k)", "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9)",
        "CREATE TABLE t (k int REFERENCES p)")
      assert.equal(1, #reflect.get_multi_foreign_keys(conn, {}).t)
    end)

    it("looks at tables, views or materialized views, lasting or temporary", function()
      run("CREATE TABLE t (a int)", "CREATE VIEW v AS SELECT a FROM t", "CREATE MATERIALIZED VIEW m AS SELECT a FROM t",
        "CREATE TEMPORARY TABLE tt (a int)", "CREATE TEMPORARY VIEW tv AS SELECT a FROM t")
      local function names(kind, scope)
        local out = {}
        for name in pairs(reflect.get_multi_columns(conn, {kind = kind, scope = scope})) do out[#out + 1] = name end
        table.sort(out)
        return out
      end
      assert.same({"t"}, names())
      assert.same({"v"}, names(2))
      assert.same({"m"}, names(4))
      assert.same({"m", "v"}, names(6))
      assert.same({"m", "t", "tt", "tv", "v"}, names(7, 3))
      assert.same({"tt"}, names(1, 2))
    end)
  end)

  it("lists names", function()
    run("CREATE TABLE t (a serial)", "CREATE TABLE other.o (a int)", "CREATE VIEW v AS SELECT 1 AS one", "CREATE SEQUENCE s",
      "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one", "CREATE TEMPORARY TABLE tt (a int)", "CREATE TEMPORARY VIEW tv AS SELECT 1 AS one",
      "CREATE TABLE p (k int) PARTITION BY LIST (k)", "CREATE INDEX i ON t (a)", "CREATE TYPE e AS ENUM ('a')")
    assert.equal("public", reflect.default_schema_name(conn))
    assert.same({"information_schema", "other", "public"}, reflect.get_schema_names(conn, {}))
    assert.same({"p", "t"}, reflect.get_table_names(conn, {}))
    assert.same({"o"}, reflect.get_table_names(conn, {schema = "other"}))
    assert.same({"tt"}, reflect.get_temp_table_names(conn, {}))
    assert.same({"v"}, reflect.get_view_names(conn, {}))
    assert.same({"tv"}, reflect.get_temp_view_names(conn, {}))
    assert.same({"m"}, reflect.get_materialized_view_names(conn, {}))
    assert.same({"s", "t_a_seq"}, reflect.get_sequence_names(conn, {}))
    assert.same({}, reflect.get_foreign_table_names(conn, {}))
    assert.matches("SELECT 1 AS one", reflect.get_view_definition(conn, "m", {}))
    for _, name in ipairs{"t", "v", "m", "tt", "p"} do assert.is_true(reflect.has_table(conn, name, {})) end
    assert.is_false(reflect.has_table(conn, "o", {}))
    assert.is_true(reflect.has_table(conn, "o", {schema = "other"}))
    assert.is_false(reflect.has_table(conn, "pg_class", {}))
    assert.same({t = true, o = false, ["x'\"\\"] = false}, reflect.has_multi_table(conn, {"t", "o", "x'\"\\"}, {}))
    assert.is_true(reflect.has_schema(conn, "other", {}))
    assert.is_false(reflect.has_schema(conn, "nope", {}))
    assert.is_true(reflect.has_sequence(conn, "s", {}))
    assert.is_false(reflect.has_sequence(conn, "t", {}))
    assert.is_true(reflect.has_type(conn, "e", {}))
    assert.is_false(reflect.has_type(conn, "e", {schema = "other"}))
    assert.is_true(reflect.has_type(conn, "e", {schema = "*"}))
    assert.is_nil(reflect.get_view_definition(conn, "nope", {schema = "other"}))
    assert.is_number(reflect.get_table_oid(conn, "v", {}))
  end)

  it("knows names with every character, and names cut at 63 bytes", function()
    local long = ("ä"):rep(31) .. "x"
    for _, name in ipairs{"a b", 'q"uote', "it's", "back\\slash", "select", "%s :name", "{a,b}", "ünï", long, "NULL", "$1"} do
      local quoted = '"' .. name:gsub('"', '""') .. '"'
      run("DROP TABLE IF EXISTS " .. quoted, ("CREATE TABLE %s (%s int PRIMARY KEY)"):format(quoted, quoted),
        ("CREATE INDEX ON %s (%s)"):format(quoted, quoted))
      local o = {filter_names = {name}}
      assert.is_true(reflect.has_table(conn, name, {}))
      assert.equal(name, reflect.get_multi_columns(conn, o)[name][1].name)
      assert.same({name}, reflect.get_multi_pk_constraint(conn, o)[name].constrained_columns)
      assert.same({name}, reflect.get_multi_indexes(conn, o)[name][1].column_names)
    end
    assert.is_false(reflect.has_table(conn, long .. "y", {}))
    assert.same({}, reflect.get_multi_columns(conn, {filter_names = {long .. "y"}}))
  end)
end)
