local ag = require "argent"
local db = require "spec.support.db"
local pg = ag.postgresql

local function ddl(element) return (element:compile{dialect = db.dialect}.string:gsub("%s+", " ")) end

describe("Table:to_metadata", function()
  after_each(db.cleanup)

  local function declare(m)
    ag.Table("parent", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a", ag.Integer), ag.Column("b", ag.Integer),
      ag.UniqueConstraint("a", "b"), schema = "one"})
    local t = ag.Table("t", m, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("Name", ag.String(9), {key = "name", nullable = false, comment = "n", server_default = "x", index = true}),
      ag.Column("x", ag.Integer, {unique = true, default = 5, onupdate = 6, info = {k = 1}}), ag.Column("y", ag.Integer),
      ag.Column("flag", ag.Boolean{create_constraint = true, name = "is_flag"}),
      ag.Column("up", ag.ForeignKey("one.t.id", {ondelete = "CASCADE", name = "fk_up"})),
      ag.Column("c", ag.Integer, ag.Computed("x * 2", {persisted = true})), ag.Column("inline", ag.Integer, ag.CheckConstraint("inline > 1")),
      ag.ForeignKeyConstraint({"x", "y"}, {"one.parent.a", "one.parent.b"}, {name = "fk_two", use_alter = true}),
      ag.CheckConstraint("y > 0", {name = "ck_text"}), ag.UniqueConstraint("x", "y", {name = "uq", comment = "u"}),
      comment = "table", schema = "one", info = {i = 2},
    })
    ag.CheckConstraint(t.c.x:lt(t.c.y), {name = "ck_expr"})
    ag.Index("ix_expr", ag.func.lower(t.c.name), t.c.y:desc(), {postgresql_where = t.c.x:gt(3), sqlite_where = t.c.x:gt(3),
      postgresql_include = {t.c.x}})
    t.constraints[#t.constraints]:ddl_if{dialect = db.dialect}
    return t
  end

  it("copies columns, constraints, indexes and their expressions", function()
    local t = declare(ag.MetaData())
    local m = ag.MetaData()
    t.metadata.tables["one.parent"]:to_metadata(m)
    local copy = t:to_metadata(m)
    assert.equal("one.t", copy.fullname)
    assert.equal(#t.constraints, #copy.constraints)
    assert.equal(#t.indexes, #copy.indexes)
    assert.equal(#t.foreign_keys, #copy.foreign_keys)
    assert.equal(copy, copy.c.up.foreign_keys[1].column.table)
    assert.equal(m.tables["one.parent"].c.a, copy.c.x.foreign_keys[1].column)
    assert.equal("Integer", tostring(copy.c.up.type))
    assert.equal(copy.c.id, copy.autoincrement_column)
    assert.equal(1, copy.c.x.info.k)
    assert.equal("table", copy.comment)
    local a, b = ddl(ag.CreateTable(t)), ddl(ag.CreateTable(copy))
    assert.equal(#a, #b) -- the same clauses; those of columns stand among the others
    for _, word in ipairs{"fk_up", "ck_text", "ck_expr", "uq", "inline > 1"} do assert.is_truthy(b:find(word, 1, true), word) end
    local function indexes(x)
      local list = {}
      for i, ix in ipairs(x.indexes) do list[i] = ddl(ag.CreateIndex(ix)) end
      table.sort(list)
      return list
    end
    assert.same(indexes(t), indexes(copy))
    for _, ix in ipairs(copy.indexes) do
      for _, c in ipairs(ix.columns) do assert.equal(copy, c.table) end
    end
  end)

  it("moves to another schema or name: foreign keys within the schema follow", function()
    local t = declare(ag.MetaData())
    local m = ag.MetaData()
    local parent = t.metadata.tables["one.parent"]:to_metadata(m, {schema = "two"})
    local copy = t:to_metadata(m, {schema = "two", name = "renamed"})
    assert.equal("two.renamed", copy.fullname)
    assert.equal(copy, copy.c.up.foreign_keys[1].column.table)
    assert.equal(parent, copy.c.x.foreign_keys[1].column.table)
    assert.is_truthy(ddl(ag.CreateTable(copy)):find("x < y", 1, true))
    local none = t:to_metadata(ag.MetaData(), {schema = ag.BLANK_SCHEMA})
    assert.equal("t", none.fullname)
    assert.equal("t.id", none.c.up.foreign_keys[1].target_fullname)
    assert.equal("parent.a", none.c.x.foreign_keys[1].target_fullname)
  end)

  it("keeps foreign keys to other schemas, and asks referred_schema_fn", function()
    local m = ag.MetaData()
    ag.Table("p", m, {ag.Column("id", ag.Integer, {primary_key = true}), schema = "shared"})
    local plain = ag.Table("q", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    local t = ag.Table("t", m, {ag.Column("a", ag.ForeignKey("shared.p.id")), ag.Column("b", ag.ForeignKey(plain.c.id))})
    local copy = t:to_metadata(ag.MetaData(), {schema = "mine"})
    assert.equal("shared.p.id", copy.c.a.foreign_keys[1].target_fullname)
    assert.equal("mine.q.id", copy.c.b.foreign_keys[1].target_fullname)
    local seen = {}
    copy = t:to_metadata(ag.MetaData(), {schema = "mine", referred_schema_fn = function(tab, to, constraint, referred)
      seen[#seen + 1] = {tab.name, to, tostring(constraint), referred or "none"}
      return referred == "shared" and "elsewhere" or nil
    end})
    assert.equal("elsewhere.p.id", copy.c.a.foreign_keys[1].target_fullname)
    assert.equal("q.id", copy.c.b.foreign_keys[1].target_fullname)
    assert.same({{"t", "mine", "ForeignKeyConstraint()", "shared"}, {"t", "mine", "ForeignKeyConstraint()", "none"}}, seen)
    assert.is_false(pcall(t.to_metadata, t, ag.MetaData(), {referred_schema_fn = function() return 5 end}))
  end)

  it("gives the table that is there already", function()
    local t = declare(ag.MetaData())
    local m = ag.MetaData()
    local copy = t:to_metadata(m)
    assert.equal(copy, t:to_metadata(m))
    assert.equal(#t.constraints, #copy.constraints)
  end)

  it("copies what is created on the real database", function()
    local t = declare(ag.MetaData())
    local engine = db.engine()
    local m = ag.MetaData()
    t.metadata.tables["one.parent"]:to_metadata(m, {schema = ag.BLANK_SCHEMA})
    local copy = t:to_metadata(m, {schema = ag.BLANK_SCHEMA})
    m:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(m.tables.parent):values{a = 5, b = 6})
      conn:execute(ag.insert(copy):values{name = "n", y = 6})
      local row = conn:execute(ag.select(copy)):one()
      assert.equal(5, row.x)
      assert.equal(10, row.c)
      assert.is_false(pcall(conn.begin_nested, conn, function() conn:execute(ag.insert(copy):values{name = "m", x = 7, y = 6}) end))
    end)
    m:drop_all(engine)
  end)

  it("copies EXCLUDE and keys with a name", function()
    local m = ag.MetaData()
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer), ag.Column("r", pg.INT4RANGE), ag.PrimaryKeyConstraint("a", {name = "the_key"}),
      pg.ExcludeConstraint({"r", "&&"}, {name = "ex", using = "gist"})})
    local copy = t:to_metadata(ag.MetaData(), {name = "u"})
    local function text(x) return (ag.CreateTable(x):compile{dialect = "postgresql"}.string:gsub("TABLE %w", "TABLE")) end
    assert.equal(text(t), text(copy))
    assert.equal("the_key", copy.primary_key.name)
  end)
end)

describe("extend_existing and keep_existing", function()
  after_each(db.cleanup)

  it("replace columns with what they brought along", function()
    local m = ag.MetaData()
    ag.Table("p", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    ag.Table("q", m, {ag.Column("id", ag.BigInteger, {primary_key = true})})
    local t = ag.Table("t", m, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("r", ag.ForeignKey("p.id"), {index = true}), ag.Column("u", ag.Integer, {unique = true})})
    local child = ag.Table("child", m, {ag.Column("t_id", ag.ForeignKey("t.id")), ag.Column("u", ag.ForeignKey("t.u"))})
    assert.equal(t.c.id, child.c.t_id.foreign_keys[1].column)
    local before = #t.constraints
    local again = ag.Table("t", m, {ag.Column("r", ag.ForeignKey("q.id")), ag.Column("u", ag.BigInteger), ag.Column("new", ag.Integer),
      ag.CheckConstraint("new > 0"), extend_existing = true, comment = "more"})
    assert.equal(t, again)
    assert.equal(1, #t.foreign_keys)
    assert.equal("q", t.c.r.foreign_keys[1].column.table.name)
    assert.equal(0, #t.indexes)
    assert.equal(before - 1 + 1, #t.constraints) -- UNIQUE went, CHECK came; one foreign key for the other
    assert.equal(t.c.u, child.c.u.foreign_keys[1].column)
    local sql = ddl(ag.CreateTable(t))
    assert.is_nil(sql:find("REFERENCES p", 1, true))
    assert.is_truthy(sql:find("REFERENCES q", 1, true))
    assert.is_nil(sql:find("UNIQUE", 1, true))
    assert.equal(1, select(2, sql:gsub("FOREIGN KEY", "")))
    local engine = db.engine()
    ag.Table("t", m, {ag.Column("u", ag.BigInteger, {unique = true}), extend_existing = true})
    m:create_all(engine)
    m:drop_all(engine)
  end)

  it("keep_existing gives the table as it is; a second declaration raises; must_exist", function()
    local m = ag.MetaData()
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer)})
    assert.equal(t, ag.Table("t", m, {ag.Column("b", ag.ForeignKey("nowhere.id")), keep_existing = true}))
    assert.equal(1, #t.c)
    assert.equal(t, ag.Table("t", m))
    for _, f in ipairs{
      function() ag.Table("t", m, {ag.Column("a", ag.Integer)}) end,
      function() ag.Table("t", m, {extend_existing = true, keep_existing = true}) end,
      function() ag.Table("none", m, {must_exist = true}) end,
    } do
      assert.is_false(pcall(f))
    end
  end)

  it("foreign keys of cycles by use_alter, with and without names", function()
    local m = ag.MetaData()
    ag.Table("a", m, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("b_id", ag.ForeignKey("b.id", {name = "fk_ab", use_alter = true}))})
    ag.Table("b", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a_id", ag.ForeignKey("a.id"))})
    local out = {}
    local mock
    mock = ag.create_mock_engine("postgresql://", function(s) out[#out + 1] = (s:compile{dialect = "postgresql"}.string:gsub("%s+", " ")) end)
    m:create_all(mock)
    assert.matches("^CREATE TABLE a %( id SERIAL NOT NULL, b_id INTEGER, PRIMARY KEY %(id%) %)$", out[1])
    assert.matches("^CREATE TABLE b .*FOREIGN KEY%(a_id%) REFERENCES a %(id%)", out[2])
    assert.equal("ALTER TABLE a ADD CONSTRAINT fk_ab FOREIGN KEY(b_id) REFERENCES b (id)", out[3])
    out = {}
    m:drop_all(mock)
    assert.same({"ALTER TABLE a DROP CONSTRAINT fk_ab", "DROP TABLE b", "DROP TABLE a"}, out)
    local engine = db.engine()
    m:create_all(engine)
    m:create_all(engine)
    m:drop_all(engine)
  end)
end)
