-- Events of attaching: before_parent_attach and after_parent_attach of tables, columns, constraints, indexes, foreign keys and types,
-- on objects and on classes; names that a listener gives; copies. And what goes to a column as an argument: ColumnDefault.
local ag = require "argent"

local event = ag.event

--- Listeners that go when the test ends.
local function scope()
  local list = {}
  return function(target, name, fn, options)
    event.listen(target, name, fn, options)
    list[#list + 1] = {target, name, fn}
  end, function()
    for _, l in ipairs(list) do event.remove(l[1], l[2], l[3]) end
  end
end

local function name_of(x)
  if x == nil then return "?" end
  local ok, name = pcall(function() return x.name end)
  return ok and name or tostring(x)
end

local function ddl(element, dialect) return (element:compile{dialect = dialect or "sqlite"}.string:gsub("%s+", " "):gsub("^ ", "")) end

describe("attaching", function()
  local listen, done
  before_each(function() listen, done = scope() end)
  after_each(function() done() end)

  it("tells the classes, in SQLAlchemy's order of parts", function()
    local seen = {}
    local function note(what) return function(target, parent) seen[#seen + 1] = ("%s %s > %s"):format(what, name_of(target), name_of(parent)) end end
    for _, class in ipairs{"Table", "Column", "UniqueConstraint", "ForeignKeyConstraint", "Index", "CheckConstraint"} do
      listen(ag[class], "before_parent_attach", note("before " .. class))
      listen(ag[class], "after_parent_attach", note("after " .. class))
    end
    ag.Table("t", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("p", ag.Integer, ag.ForeignKey("t.id"), {unique = true}),
      ag.Index("ix_p", "p"), ag.CheckConstraint("p > 1", {name = "ck"}),
    })
    assert.are.same({
      "before Table t > MetaData()", "before Column id > t", "after Column id > t", "before Column p > t", "after Column p > t",
      "before CheckConstraint ck > t", "after CheckConstraint ck > t", "before UniqueConstraint UniqueConstraint() > t",
      "after UniqueConstraint UniqueConstraint() > t", "before ForeignKeyConstraint ForeignKeyConstraint() > t",
      "after ForeignKeyConstraint ForeignKeyConstraint() > t", "before Index ix_p > t", "after Index ix_p > t", "after Table t > MetaData()",
    }, seen)
  end)

  it("has no parent before, and one after", function()
    local parents = {}
    local column, unique = ag.Column("a", ag.Integer), ag.UniqueConstraint("a")
    for _, target in ipairs{column, unique} do
      listen(target, "before_parent_attach", function(t) parents[#parents + 1] = name_of(t.table) end)
      listen(target, "after_parent_attach", function(t, tab)
        assert.are.equal(tab, t.table)
        parents[#parents + 1] = name_of(t.table)
      end)
    end
    ag.Table("t", ag.MetaData(), {column, unique})
    assert.are.same({"?", "t", "?", "t"}, parents)
  end)

  it("gives constraints and indexes the names that a listener sets", function()
    local function rename(prefix) return function(c, tab) c.name = prefix .. "_" .. tab.name .. "_" .. c.columns[1].name end end
    listen(ag.UniqueConstraint, "after_parent_attach", rename "uq")
    listen(ag.PrimaryKeyConstraint, "after_parent_attach", rename "pk")
    listen(ag.ForeignKeyConstraint, "after_parent_attach", rename "Fk")
    listen(ag.Index, "after_parent_attach", rename "my ix")
    local t = ag.Table("t", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("p", ag.Integer, ag.ForeignKey("t.id"), {unique = true}),
      ag.Column("q", ag.Integer, {index = true}),
    })
    assert.are.equal('CREATE TABLE t ( id INTEGER NOT NULL, p INTEGER, q INTEGER, CONSTRAINT pk_t_id PRIMARY KEY (id), '
      .. 'CONSTRAINT uq_t_p UNIQUE (p), CONSTRAINT "Fk_t_p" FOREIGN KEY(p) REFERENCES t (id) )', ddl(ag.CreateTable(t)))
    assert.are.equal('CREATE INDEX "my ix_t_q" ON t (q)', ddl(ag.CreateIndex(t.indexes[1])))
    assert.are.equal("pk_t_id", t.primary_key.name)
    listen(ag.Index, "after_parent_attach", function(ix) ix.name = nil end)
    local ok, e = pcall(ag.Index, "ix_p", t.c.p)
    assert.is_false(ok)
    assert.is_truthy(tostring(e):find("an index of table 't' has no name", 1, true), tostring(e))
  end)

  it("lets a listener add columns to a table that is whole", function()
    listen(ag.Table, "after_parent_attach", function(t) t:append_column(ag.Column("stamp", ag.DateTime)) end)
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true})})
    assert.are.equal("t.c(id, stamp)", tostring(t.c))
    assert.are.equal("CREATE TABLE t ( id INTEGER NOT NULL, stamp DATETIME, PRIMARY KEY (id) )", ddl(ag.CreateTable(t)))
  end)

  it("forgets a table whose listener raises", function()
    local m = ag.MetaData()
    listen(ag.Table, "after_parent_attach", function() error("no", 0) end)
    assert.are.same({false, "no"}, {pcall(ag.Table, "t", m, {ag.Column("id", ag.Integer)})})
    assert.is_nil(rawget(m.tables, "t"))
  end)

  it("tells types, foreign keys and sequences of their column", function()
    local seen = {}
    local function note(what) return function(_, parent) seen[#seen + 1] = what .. " " .. parent.name end end
    local colors = ag.Enum({"red", "blue"}, {name = "color"})
    listen(colors, "after_parent_attach", note "this enum")
    listen(ag.Integer, "before_parent_attach", note "integer")
    listen(ag.ForeignKey, "after_parent_attach", note "fk")
    listen(ag.Sequence, "after_parent_attach", note "sequence")
    ag.Table("t", ag.MetaData(), {
      ag.Column("id", ag.Integer, ag.Sequence("s"), {primary_key = true}), ag.Column("c", colors), ag.Column("d", ag.Enum({"x"}, {name = "y"})),
      ag.Column("e", ag.Text), ag.ForeignKeyConstraint({"id"}, {"u.id"}),
    })
    assert.are.same({"integer id", "sequence id", "this enum c", "fk id"}, seen)
  end)

  it("follows copies with propagate only", function()
    local seen = {}
    local m, other = ag.MetaData(), ag.MetaData()
    local column, unique = ag.Column("a", ag.Integer), ag.UniqueConstraint("a", {name = "u"})
    listen(column, "after_parent_attach", function(c, t) seen[#seen + 1] = c.name .. " " .. tostring(t.metadata == other) end, {propagate = true})
    listen(unique, "after_parent_attach", function(c, t) seen[#seen + 1] = c.name .. " " .. tostring(t.metadata == other) end, {propagate = true})
    listen(column, "after_parent_attach", function() seen[#seen + 1] = "once" end)
    ag.Table("t", m, {column, unique}):to_metadata(other)
    assert.are.same({"a false", "once", "u false", "a true", "u true"}, seen)
  end)

  it("gives named arguments, and knows the names of events", function()
    local got
    listen(ag.Column, "after_parent_attach", function(args) got = {args.target.name, args.parent.name} end, {named = true})
    ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer)})
    assert.are.same({"id", "t"}, got)
    local ok, e = pcall(event.listen, ag.Column, "after_parent_atach", function() end)
    assert.is_false(ok)
    assert.is_truthy(tostring(e):find("after_parent_attach", 1, true), tostring(e))
  end)
end)

describe("ag.ColumnDefault", function()
  it("is default, or onupdate", function()
    local f = function() return 7 end
    local t = ag.Table("t", ag.MetaData(), {
      ag.Column("a", ag.Integer), ag.Column("b", ag.Integer, ag.ColumnDefault(50), ag.ColumnDefault(60, {for_update = true})),
      ag.Column("c", ag.Integer, {default = ag.ColumnDefault(f)}), ag.Column("d", ag.DateTime, ag.ColumnDefault(ag.func.now())),
    })
    assert.are.same({50, 60, f}, {t.c.b.default, t.c.b.onupdate, t.c.c.default})
    local c = ag.insert(t):values{a = 1}:compile{dialect = "sqlite"}
    assert.are.equal("INSERT INTO t (a, b, c, d) VALUES (?, ?, ?, CURRENT_TIMESTAMP)", c.string)
    assert.are.equal("UPDATE t SET a=?, b=?", ag.update(t):values{a = 1}:compile{dialect = "sqlite"}.string)
    local copy = t:to_metadata(ag.MetaData())
    assert.are.same({50, 60, f}, {copy.c.b.default, copy.c.b.onupdate, copy.c.c.default})
    local d = ag.ColumnDefault(f)
    assert.are.same({true, false, false, false}, {d.is_callable, d.is_scalar, d.is_clause_element, d.for_update})
    d = ag.ColumnDefault("x")
    assert.are.same({false, true, false}, {d.is_callable, d.is_scalar, d.is_clause_element})
  end)

  it("refuses two defaults, nothing, and what is a default itself", function()
    local function refused(text, fn, ...)
      local ok, e = pcall(fn, ...)
      assert.is_false(ok)
      assert.is_truthy(tostring(e):find(text, 1, true), tostring(e))
    end
    refused("a ColumnDefault and option 'default'", ag.Column, "a", ag.Integer, ag.ColumnDefault(1), {default = 2})
    refused("got nil", ag.ColumnDefault, nil)
    refused("a Sequence is a default itself", ag.ColumnDefault, ag.Sequence("s"))
  end)
end)

describe("constraints", function()
  it("of a column that has its table, say which columns they have, are left out after DropConstraint", function()
    local m = ag.MetaData()
    ag.Table("p", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    local uq = ag.UniqueConstraint("a", {name = "uq"})
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer), ag.Column("b", ag.Integer), uq})
    t.c.b:append_foreign_key(ag.ForeignKey("p.id", {ondelete = "CASCADE"}))
    assert.are.equal("p.id", t.c.b.foreign_keys[1].target_fullname)
    assert.are.same({true, false}, {uq:contains_column(t.c.a), uq:contains_column(t.c.b)})
    local text = "CREATE TABLE t ( a INTEGER, b INTEGER, CONSTRAINT uq UNIQUE (a), FOREIGN KEY(b) REFERENCES p (id) ON DELETE CASCADE )"
    assert.are.equal(text, ddl(ag.CreateTable(t), "postgresql"))
    assert.are.equal("ALTER TABLE t DROP CONSTRAINT uq", ddl(ag.DropConstraint(uq, {isolate_from_table = false}), "postgresql"))
    assert.are.equal(text, ddl(ag.CreateTable(t), "postgresql"))
    assert.are.equal("ALTER TABLE t DROP CONSTRAINT uq", ddl(ag.DropConstraint(uq), "postgresql"))
    assert.are.equal("CREATE TABLE t ( a INTEGER, b INTEGER, FOREIGN KEY(b) REFERENCES p (id) ON DELETE CASCADE )",
      ddl(ag.CreateTable(t), "postgresql"))
  end)
end)
