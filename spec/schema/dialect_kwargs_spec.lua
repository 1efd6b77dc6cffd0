--- dialect_options, dialect_kwargs (kwargs) of schema objects: what was given, and what reflection read.
local ag = require "argent"

describe("the options of a dialect", function()
  local where, other = ag.text("depth > 3"), ag.text("depth > 4")
  local m = ag.MetaData()
  local lakes = ag.Table("lakes", m, {
    ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("depth", ag.Integer, {nullable = false, sqlite_on_conflict_not_null = "FAIL"}),
    ag.Column("of", ag.Integer),
    ag.Index("ix_depth", "depth", {postgresql_where = where, sqlite_where = other, postgresql_include = {"id"}}),
    ag.UniqueConstraint("depth", {sqlite_on_conflict = "IGNORE"}),
    ag.ForeignKeyConstraint({"of"}, {"lakes.id"}, {ondelete = "CASCADE", deferrable = true, initially = "DEFERRED", postgresql_not_valid = true}),
    ag.CheckConstraint("depth > 0", {postgresql_no_inherit = true}),
    postgresql_with = {fillfactor = 70}, sqlite_strict = true,
  })
  local fk, check = lakes.constraints[3], lakes.constraints[4]

  for name, case in pairs{
    Table = {lakes, {postgresql_with = {fillfactor = 70}, sqlite_strict = true},
      {postgresql = {with = {fillfactor = 70}}, sqlite = {strict = true}}},
    Column = {lakes.c.depth, {sqlite_on_conflict_not_null = "FAIL"}, {postgresql = {}, sqlite = {on_conflict_not_null = "FAIL"}}},
    Index = {lakes.indexes[1], {postgresql_where = where, sqlite_where = other, postgresql_include = {"id"}},
      {postgresql = {where = where, include = {"id"}}, sqlite = {where = other}}},
    UniqueConstraint = {lakes.constraints[2], {sqlite_on_conflict = "IGNORE"}, {postgresql = {}, sqlite = {on_conflict = "IGNORE"}}},
    ForeignKeyConstraint = {fk, {postgresql_not_valid = true}, {postgresql = {not_valid = true}, sqlite = {}}},
    CheckConstraint = {check, {postgresql_no_inherit = true}, {postgresql = {no_inherit = true}, sqlite = {}}},
    PrimaryKeyConstraint = {lakes.primary_key, {}, {postgresql = {}, sqlite = {}}},
  } do
    it("are read from a " .. name, function()
      assert.are.same({case[2], case[2], case[3]}, {case[1].dialect_kwargs, case[1].kwargs, case[1].dialect_options})
      case[1].dialect_kwargs.sqlite_strict, case[1].dialect_options.postgresql = 1, 2 -- a copy
      assert.are.same(case[3], case[1].dialect_options)
    end)
  end

  it("stand beside foreign_key_constraints, whose foreign keys have the constraint's options", function()
    assert.are.same({fk}, lakes.foreign_key_constraints)
    local element = lakes.c.of.foreign_keys[1]
    assert.are.same({"CASCADE", true, "DEFERRED"}, {element.ondelete, element.deferrable, element.initially})
    assert.are.same({}, ag.Table("bare", m, {ag.Column("id", ag.Integer)}).foreign_key_constraints)
  end)

  it("are there after reflection", function()
    local engine = ag.create_engine("sqlite://")
    engine:begin(function(conn)
      for _, sql in ipairs{"CREATE TABLE shores (id INTEGER PRIMARY KEY, lake INTEGER REFERENCES shores ON DELETE SET NULL) STRICT",
        "CREATE INDEX ix_lake ON shores (lake) WHERE lake > 5"} do
        conn:exec_driver_sql(sql)
      end
    end)
    local t = ag.Table("shores", ag.MetaData(), {autoload_with = engine})
    assert.is_true(t.dialect_options.sqlite.strict)
    assert.are.equal("lake > 5", tostring(t.indexes[1].dialect_options.sqlite.where))
    assert.are.equal("SET NULL", t.c.lake.foreign_keys[1].ondelete)
    engine:dispose()
  end)
end)
