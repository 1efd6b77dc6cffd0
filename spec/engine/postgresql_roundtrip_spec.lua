--- create → reflect → create in an empty database → reflect: the same catalog, and the same MetaData. ARGENT_SCHEMAS says how many
--- random schemas (30; the long run is 500), ARGENT_SEED with which one to begin.
local ag = require "argent"
local catalog = require "spec.support.pg_catalog"
local db = require "spec.support.db"
local random = require "spec.support.pg_random"

if not db.postgresql then
  describe("a schema of PostgreSQL, reflected and created again,", function()
    it("needs PostgreSQL", function() pending("pg_catalog") end)
  end)
  return
end

local schemas = {"other", "We Ird"}

local hostile = {
  "a b", 'quo"te', "quo'te", '""', "'", "se;mi", "--", "/*", "a.b", ".", "a:b", ":a", "?", "$1", "%s", "%(a)s", "\\", "a\\'b", "a\nb", "\t",
  " ", " lead", "Mixed", "ünï", "日本語", "🙂", "1st", "[x]", "`x`", "select", "user", "null", "x,y", "(x)", "a$b", "=", ("n"):rep(63),
  ("é"):rep(31) .. "x",
}

--- Everything that has a name has this one (constraints and indexes: as much of it as leaves room for a letter).
local function metadata_named(name)
  local pg, m = ag.postgresql, ag.MetaData()
  local short = #name < 60 and name or name:sub(1, utf8.offset(name, -4) - 1)
  local enum = pg.ENUM({name, "other"}, {name = short .. "e", schema = name})
  local domain = pg.DOMAIN(short .. "d", ag.Text, {schema = name, constraints = {{name = name, check = "VALUE <> 'x'"}}})
  local quoted = '"' .. name:gsub('"', '""') .. '"'
  local t = ag.Table(name, m, {
    ag.Column(name, ag.Integer, {autoincrement = false, comment = name}), ag.Column(short .. "2", ag.Integer, ag.Identity()),
    ag.Column("e", enum, {server_default = name}), ag.Column("d", domain), ag.Column("l", pg.ARRAY(enum)), ag.Column("r", pg.INT4RANGE),
    ag.PrimaryKeyConstraint(name, {name = short .. "p"}),
    ag.UniqueConstraint(name, short .. "2", {name = short .. "u", comment = name, postgresql_include = {"d"}}),
    ag.CheckConstraint(ag.literal_column(quoted .. " > 0"), {name = short .. "c"}),
    pg.ExcludeConstraint({"r", "&&"}, {name = short .. "x", using = "gist", where = ag.literal_column(quoted .. " > 0")}),
    ag.Index(short .. "i", name, {postgresql_where = ag.literal_column(quoted .. " > 5"), postgresql_include = {short .. "2"}}),
    ag.Index(short .. "j", "d", {postgresql_ops = {d = "text_pattern_ops"}}),
    schema = name, comment = name,
  })
  ag.Table(short .. "f", m, {ag.Column(name, ag.Integer), ag.Column("id", ag.Integer, {primary_key = true}),
    ag.ForeignKeyConstraint({name}, {t.c[name]}, {name = short .. "f", ondelete = "SET NULL (" .. quoted .. ")"}), schema = name})
  return m
end

local function text_of(c)
  local d = c.server_default
  return ("%s %s null=%s default=%s auto=%s pk=%s computed=%s identity=%s comment=%s"):format(c.name, tostring(c.type),
    tostring(c.nullable), d and tostring(rawget(d, "arg")), tostring(c.autoincrement), tostring(c.primary_key),
    c.computed and tostring(c.computed.sqltext), c.identity and tostring(c.identity.always), tostring(c.comment))
end

--- All that a MetaData says, as lines.
local function lines(metadata)
  local out = {}
  local function add(text) out[#out + 1] = text end
  for name, tab in pairs(metadata.tables) do
    add(name .. " " .. ag.CreateTable(tab):compile{dialect = "postgresql"}.string .. tostring(tab.comment))
    for _, c in ipairs(tab.c) do add(name .. " column " .. text_of(c)) end
    for _, ix in ipairs(tab.indexes) do add(ag.CreateIndex(ix):compile{dialect = "postgresql"}.string) end
    for _, c in ipairs(tab.constraints) do add(("%s constraint %s %s"):format(name, tostring(c.name), tostring(c.comment))) end
  end
  table.sort(out)
  return out
end

describe("a schema of PostgreSQL, reflected and created again,", function()
  local engine

  --- Everything out, the schemas made anew.
  local function empty()
    engine:begin(function(conn)
      for _, name in ipairs{"public", table.unpack(schemas)} do
        local quoted = '"' .. name .. '"'
        conn:exec_driver_sql("DROP SCHEMA IF EXISTS " .. quoted .. " CASCADE")
        conn:exec_driver_sql("CREATE SCHEMA " .. quoted)
      end
      conn:exec_driver_sql("CREATE COLLATION other.own (locale = 'C')") -- which no MetaData makes
    end)
  end

  --- schema: one more.
  local function reflected(schema)
    local metadata = ag.MetaData()
    if schema then metadata:reflect(engine, {schema = schema}) end
    metadata:reflect(engine)
    for _, name in ipairs(schemas) do metadata:reflect(engine, {schema = name}) end
    return metadata
  end

  local function catalog_lines()
    local conn <close> = engine:connect()
    return catalog.lines(conn)
  end

  --- What is there now, reflected and created again: differences.
  local function check(schema)
    local before, first = catalog_lines(), reflected(schema)
    empty()
    if schema then
      engine:begin(function(conn)
        conn:execute(ag.DropSchema(schema, {cascade = true}))
        conn:execute(ag.CreateSchema(schema))
      end)
    end
    first:create_all(engine)
    local list = catalog.difference(before, catalog_lines())
    for _, line in ipairs(catalog.difference(lines(first), lines(reflected(schema)))) do list[#list + 1] = line end
    return list, #before
  end

  before_each(function()
    engine = db.engine()
    empty()
  end)
  after_each(db.cleanup)

  it("is the same, with everything that only SQL can declare", function()
    engine:begin(function(conn)
      for _, sql in ipairs{
        [[CREATE TYPE color AS ENUM ('red', 'it''s')]], [[CREATE TYPE "We Ird"."En um" AS ENUM ('a b', 'c"d')]],
        [[CREATE DOMAIN posint AS integer CONSTRAINT pos CHECK (VALUE > 0) CONSTRAINT "a lt" CHECK (VALUE < 100)]],
        [[CREATE DOMAIN other.txt AS varchar(30) COLLATE "C" CHECK (length(VALUE::text) > 2)]], "CREATE DOMAIN dd AS posint",
        "CREATE DOMAIN den AS color", "CREATE SEQUENCE myseq START 5 INCREMENT 3",
        [[CREATE TABLE p (a int, b int, c text, PRIMARY KEY (a, b) INCLUDE (c), CONSTRAINT uq_c UNIQUE (c) DEFERRABLE INITIALLY DEFERRED,
          x color, y "We Ird"."En um"[][], z posint[], t other.txt, d dd, e den)]],
        [[CREATE TABLE "We Ird"."T.a b""l e" ("i d" int PRIMARY KEY, "x""y" text, "Q,z" int, UNIQUE ("x""y", "Q,z"))]],
        "CREATE TABLE other.ref (id int PRIMARY KEY, k int UNIQUE)",
        [[CREATE TABLE c (id int PRIMARY KEY DEFAULT nextval('myseq'), a int, b int, o int, w int, s int REFERENCES c,
          CONSTRAINT fk1 FOREIGN KEY (a, b) REFERENCES p MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
          CONSTRAINT fk2 FOREIGN KEY (a, b) REFERENCES p ON DELETE SET DEFAULT ON UPDATE RESTRICT DEFERRABLE,
          FOREIGN KEY (o) REFERENCES other.ref (k) ON DELETE RESTRICT, FOREIGN KEY (w) REFERENCES "We Ird"."T.a b""l e" ON DELETE CASCADE,
          CONSTRAINT ck1 CHECK (a > 1 AND (b < 5 OR o = 1)), CONSTRAINT "ck 3" CHECK ((a > 1) OR (b > 2)) NO INHERIT)]],
        "ALTER TABLE c ADD CONSTRAINT fknv FOREIGN KEY (o) REFERENCES other.ref (id) NOT VALID",
        "ALTER TABLE c ADD CONSTRAINT cknv CHECK (o > 2) NOT VALID", "COMMENT ON CONSTRAINT fk1 ON c IS 'fk comment'",
        "CREATE TABLE ix (id int PRIMARY KEY, a int, b text, c text, j jsonb, r int4range)",
        "CREATE INDEX i1 ON ix (lower(b) text_pattern_ops, a DESC, (a + 1) NULLS FIRST)", "CREATE INDEX i2 ON ix USING gin (j jsonb_path_ops)",
        "CREATE INDEX i3 ON ix (b text_pattern_ops, c varchar_pattern_ops DESC NULLS LAST)", "CREATE INDEX i4 ON ix (b COLLATE \"C\" DESC)",
        "CREATE INDEX i5 ON ix (b COLLATE \"C\" text_pattern_ops)", "CREATE INDEX i6 ON ix USING brin (a) WITH (pages_per_range = 32)",
        "CREATE INDEX i8 ON ix ((b || c) COLLATE \"C\" text_pattern_ops DESC, a, lower(c), upper(b) COLLATE \"POSIX\")",
        "CREATE INDEX i9 ON ix (b COLLATE other.own text_pattern_ops DESC, lower(c) COLLATE other.own, a)",
        "CREATE TABLE numbered (id serial PRIMARY KEY, b serial)",
        "CREATE TABLE borrows (n int DEFAULT nextval('numbered_id_seq'), m bigint DEFAULT nextval('numbered_id_seq') + 1)",
        "CREATE TABLE " .. ("t"):rep(60) .. " (" .. ("é"):rep(30) .. " serial PRIMARY KEY, other bigserial)",
        "CREATE UNIQUE INDEX i7 ON ix (a) INCLUDE (b, c) WHERE b <> 'x' AND a > 5",
        [[CREATE TABLE ex (id int, room int, during int4range, CONSTRAINT ex1 EXCLUDE USING gist (during WITH &&) WHERE (room > 3),
          EXCLUDE USING gist (int4range(id, room) WITH &&) DEFERRABLE INITIALLY DEFERRED)]],
        "CREATE TABLE part (id int, k int, t text DEFAULT 'q', PRIMARY KEY (id, k)) PARTITION BY RANGE (k)", "CREATE INDEX part_t ON part (t)",
        "CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (1) TO (10)",
        "CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id)",
        "CREATE TABLE other.part2a PARTITION OF part2 FOR VALUES IN (1, 2)", "CREATE TABLE partdef PARTITION OF part DEFAULT",
        "CREATE TABLE fkpart (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES part)",
        "CREATE UNLOGGED TABLE unl (id int PRIMARY KEY) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5)", "CREATE TABLE nothing ()",
      } do conn:exec_driver_sql(sql) end
    end)
    local list, n = check()
    assert.same({}, list)
    assert.is_true(n > 60)
  end)

  it("has SERIAL where a sequence is the column's own, whatever its name, and a Sequence where it is shared or free", function()
    engine:begin(function(conn)
      for _, sql in ipairs{"CREATE TABLE was (id serial PRIMARY KEY)", "ALTER TABLE was RENAME TO is_now",
        "CREATE TABLE free (id int PRIMARY KEY DEFAULT nextval('is_free'))", "CREATE TABLE shared (id bigserial PRIMARY KEY)",
        "CREATE TABLE heir () INHERITS (shared)"} do
        if sql:find("is_free", 1, true) then conn:exec_driver_sql("CREATE SEQUENCE is_free") end
        conn:exec_driver_sql(sql)
      end
    end)
    local metadata = reflected()
    local function made(name)
      return (ag.CreateTable(metadata.tables[name]):compile{dialect = "postgresql"}.string:match("id ([^,\n]+)"))
    end
    assert.equal("SERIAL NOT NULL", made "is_now")
    assert.equal("INTEGER DEFAULT nextval('is_free'::regclass) NOT NULL", made "free")
    assert.equal("BIGINT DEFAULT nextval('shared_id_seq'::regclass) NOT NULL", made "shared")
    assert.is_true(metadata.tables.is_now.c.id.autoincrement)
    assert.is_false(metadata.tables.free.c.id.autoincrement)
    local list = {}
    for _, line in ipairs((check())) do
      if not line:find("is_now", 1, true) then list[#list + 1] = line end
    end
    assert.is_true(ag.inspect(engine):has_sequence("is_now_id_seq"))
    assert.same({"- sequence public.was_id_seq integer 1 1 1 2147483647 1 f"}, list)
  end)

  it("is the same, whatever its names are", function()
    for _, name in ipairs(hostile) do
      engine:begin(function(conn) conn:execute(ag.CreateSchema(name)) end)
      local metadata = metadata_named(name)
      metadata:create_all(engine)
      local list, n = check(name)
      assert.same({}, list, ("name %q"):format(name))
      assert.is_true(n > 15)
      local insp = ag.inspect(engine)
      assert.is_true(insp:has_table(name, {schema = name}) and insp:has_schema(name))
      assert.equal(name, insp:get_columns(name, {schema = name})[1].name)
      engine:begin(function(conn)
        conn:execute(ag.DropSchema(name, {cascade = true}))
      end)
    end
  end)

  it("is the same, for random schemas", function()
    local from, count = tonumber(os.getenv "ARGENT_SEED") or 1, tonumber(os.getenv "ARGENT_SCHEMAS") or 30
    for seed = from, from + count - 1 do
      empty()
      local ok, list = pcall(function()
        random.metadata(seed):create_all(engine)
        return (check())
      end)
      if not ok then error(("seed %d: %s"):format(seed, tostring(list)), 0) end
      assert.same({}, list, ("seed %d"):format(seed))
    end
  end)
end)
