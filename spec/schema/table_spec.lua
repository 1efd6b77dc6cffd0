local ag = require "argent"

--- The error that f raises.
local function failure(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(ag.exc.is_error(e), tostring(e))
  return e
end
local function message(f, ...) return tostring(failure(f, ...)) end

local function names(list, field)
  local out = {}
  for i, x in ipairs(list) do out[i] = x[field or "name"] end
  return out
end

describe("tables", function()
  local metadata, users

  before_each(function()
    metadata = ag.MetaData()
    users = ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("email", ag.String(120), {unique = true, nullable = false}),
      ag.Column("age", ag.Integer, {default = 0}),
      ag.CheckConstraint("age >= 0", {name = "age_positive"}),
      ag.Index("ix_users_age", "age"),
      comment = "people",
    })
  end)

  it("know their columns by name, by number, and in order", function()
    assert.equal("users", users.name)
    assert.equal("people", users.comment)
    assert.is_nil(users.schema)
    assert.equal(metadata, users.metadata)
    assert.equal(3, #users.c)
    assert.equal(users.c.id, users.c[1])
    assert.equal(users.c, users.columns)
    assert.same({"id", "email", "age"}, names(users.c))
    local keys = {}
    for key, column in pairs(users.c) do keys[#keys + 1] = key; assert.equal(users, column.table) end
    assert.same({"id", "email", "age"}, keys)
    assert.equal("users.id", tostring(users.c.id))
  end)

  it("have single column objects, usable as table keys", function()
    local t = {[users.c.id] = 5}
    collectgarbage()
    assert.equal(5, t[users.c.id])
  end)

  it("tell unknown columns and attributes with a hint", function()
    assert.matches("did you mean 'email'", message(function() return users.c.emial end))
    assert.matches("did you mean 'columns'", message(function() return users.column end))
    assert.matches("cannot be assigned", message(function() users.c.x = 5 end))
  end)

  it("list primary key, constraints and indexes", function()
    assert.same({"id"}, names(users.primary_key.columns))
    assert.is_true(users.c.id.primary_key)
    assert.is_false(users.c.id.nullable)
    assert.is_true(users.c.age.nullable)
    assert.equal(users.c.id, users.autoincrement_column)
    assert.same({"ix_users_age"}, names(users.indexes))
    assert.equal(users.c.age, users.indexes[1].columns[1])
    local kinds = {}
    for i, c in ipairs(users.constraints) do kinds[i] = getmetatable(c).class_name end
    assert.same({"PrimaryKeyConstraint", "CheckConstraint", "UniqueConstraint"}, kinds)
  end)

  it("can be built into statements", function()
    assert.matches("users", tostring(ag.select(users.c.id):where(users.c.email:like("%x"))))
  end)

  it("declared twice raise, unless it is meant", function()
    local e = failure(ag.Table, "users", metadata, {ag.Column("x", ag.Integer)})
    assert.is_true(e:is(ag.exc.InvalidRequestError))
    assert.matches("already defined", e.message)
    assert.equal(users, ag.Table("users", metadata))
    assert.equal(users, ag.Table("users", metadata, {ag.Column("x", ag.Integer), keep_existing = true}))
    assert.is_nil(rawget(users.c, "x"))
    ag.Table("users", metadata, {ag.Column("x", ag.Integer), extend_existing = true})
    assert.equal("x", users.c.x.name)
    ag.Table("users", metadata, {ag.Column("id", ag.BigInteger, {primary_key = true}), extend_existing = true})
    assert.equal(ag.BigInteger, users.c.id.type)
    assert.equal(users.c.id, users.primary_key.columns[1])
    assert.equal(users.c.id, users.autoincrement_column)
    assert.equal(users.c.id, users.c[1])
    assert.matches("not defined", message(ag.Table, "nobody", metadata, {must_exist = true}))
    assert.matches("exclude each other", message(ag.Table, "users", metadata, {keep_existing = true, extend_existing = true}))
  end)

  it("refuse bad input with the place of the mistake", function()
    assert.matches("expected the table's name", message(ag.Table, nil, metadata, {}))
    assert.matches("expected an ag.MetaData", message(ag.Table, "t", {}, {}))
    assert.matches("item 1: expected a column", message(ag.Table, "t", metadata, {"id"}))
    assert.matches("did you mean 'comment'", message(ag.Table, "t", metadata, {coment = "x"}))
    assert.matches("key 'x' already", message(ag.Table, "t", metadata, {ag.Column("x", ag.Integer), ag.Column("x", ag.Text)}))
    assert.matches("no name", message(ag.Table, "t", metadata, {ag.Column(ag.Integer)}))
    assert.matches("belongs to table 'users' already", message(ag.Table, "t", metadata, {users.c.id}))
    assert.matches("a table takes ag.ForeignKeyConstraint", message(ag.Table, "t", metadata, {ag.ForeignKey("users.id")}))
    local e = failure(ag.Table, "t", metadata, {ag.Column("x", ag.Integer), ag.UniqueConstraint("y")})
    assert.is_true(e:is(ag.exc.ConstraintColumnNotFoundError))
    assert.is_nil(rawget(metadata.tables, "t"))
  end)

  it("have a key beside the name", function()
    local t = ag.Table("t", metadata, {ag.Column("user_name", ag.Text, {key = "name"})})
    assert.equal("user_name", t.c.name.name)
    assert.equal("name", t.c.name.key)
  end)

  it("take the MetaData's schema", function()
    local m = ag.MetaData{schema = "app"}
    local t = ag.Table("t", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    local other = ag.Table("u", m, {ag.Column("t_id", ag.ForeignKey("t.id"))})
    assert.equal("app", t.schema)
    assert.equal("app.t", t.fullname)
    assert.equal(t, m.tables["app.t"])
    assert.equal(t.c.id, other.foreign_keys[1].column)
    assert.is_nil(ag.Table("v", m, {schema = ag.BLANK_SCHEMA}).schema)
  end)

  it("can be copied to another MetaData", function()
    local m = ag.MetaData()
    local copy = users:to_metadata(m, {schema = "archive"})
    assert.equal("archive.users", copy.fullname)
    assert.same({"id", "email", "age"}, names(copy.c))
    assert.equal(#users.constraints, #copy.constraints)
    assert.equal(#users.indexes, #copy.indexes)
    assert.not_equal(users.c.id, copy.c.id)
    assert.equal("people", copy.comment)
  end)

  it("can be removed from their MetaData", function()
    metadata:remove(users)
    assert.is_nil(metadata.tables.users)
    assert.equal("users", users.name)
    assert.matches("not in this MetaData", message(metadata.remove, metadata, users))
    ag.Table("users", metadata, {ag.Column("id", ag.Integer)})
    metadata:clear()
    assert.equal(0, #metadata.tables)
  end)

  it("are garbage together with their MetaData", function()
    local weak = setmetatable({metadata, users, users.c.id}, {__mode = "v"})
    metadata, users = nil, nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("keep their MetaData alive", function()
    local id = users.c.id
    metadata, users = nil, nil
    collectgarbage()
    collectgarbage()
    assert.equal("users", id.table.name)
    assert.equal(id, id.table.metadata.tables.users.c.id)
  end)
end)

describe("columns", function()
  it("take name, type, items and options", function()
    local c = ag.Column("x", ag.Integer, {nullable = false, comment = "c", info = {a = 1}})
    assert.equal("x", c.name)
    assert.equal(ag.Integer, c.type)
    assert.is_false(c.nullable)
    assert.equal("c", c.comment)
    assert.equal(1, c.info.a)
    assert.is_nil(c.table)
    assert.is_nil(c.default)
  end)

  it("refuse what they do not know", function()
    assert.matches("did you mean 'nullable'", message(ag.Column, "x", ag.Integer, {nulable = false}))
    assert.matches("expected a type", message(ag.Column, "x", "Integer"))
    assert.matches("a second type", message(ag.Column, "x", ag.Integer, ag.Text))
    assert.matches("expected a boolean", message(ag.Column, "x", ag.Integer, {primary_key = 1}))
    assert.matches("autoincrement", message(ag.Column, "x", ag.Integer, {autoincrement = "yes"}))
    assert.matches("server default", message(ag.Column, "x", ag.Integer, {default = ag.Identity()}))
    assert.matches("expected a string, an expression", message(ag.Column, "x", ag.Integer, {server_default = 5}))
    assert.matches("a name is given by ag.Index", message(ag.Column, "x", ag.Integer, {index = "ix"}))
  end)

  it("without a table stand in expressions as ad-hoc ones", function()
    local c = ag.Column("x", ag.ARRAY(ag.Integer))
    assert.equal("SELECT x[$1] AS anon_1", (ag.select(c:at(5)):compile{dialect = "postgresql"}.string:gsub("%s+", " ")))
    local made = ag.Column("d", ag.Integer)
    local positive = made:gt(0)
    local t = ag.Table("t", ag.MetaData(), {made, ag.CheckConstraint(positive), ag.Index("ix_d", made)})
    assert.matches("CHECK (d > 0)", ag.CreateTable(t):compile{dialect = "sqlite"}.string, 1, true)
    assert.equal("SELECT t.d FROM t", (tostring(ag.select(made)):gsub("%s+", " ")))
    assert.is_false((pcall(ag.select, ag.Column(ag.Integer))))
  end)

  it("are numbered by the database when they are the only integer key", function()
    local m = ag.MetaData()
    local function auto(name, ...)
      local t = ag.Table(name, m, {...})
      return t.autoincrement_column and t.autoincrement_column.name
    end
    local C, I = ag.Column, ag.Integer
    assert.equal("a", auto("t1", C("a", I, {primary_key = true})))
    assert.is_nil(auto("t2", C("a", I, {primary_key = true}), C("b", I, {primary_key = true})))
    assert.equal("b", auto("t3", C("a", I, {primary_key = true}), C("b", I, {primary_key = true, autoincrement = true})))
    assert.is_nil(auto("t4", C("a", I, {primary_key = true, autoincrement = false})))
    assert.is_nil(auto("t5", C("a", ag.Text, {primary_key = true})))
    assert.is_nil(auto("t6", C("a", I, ag.ForeignKey("t1.a"), {primary_key = true})))
    assert.equal("a", auto("t7", C("a", I, ag.ForeignKey("t1.a"), {primary_key = true, autoincrement = "ignore_fk"})))
    assert.is_nil(auto("t8", C("a", I, {primary_key = true, default = 5})))
    assert.matches("needs an integer type", message(auto, "t9", C("a", ag.Text, {primary_key = true, autoincrement = true})))
  end)

  it("take the type of what they refer to, whenever it becomes known", function()
    local m = ag.MetaData()
    local a = ag.Table("a", m, {ag.Column("b_id", ag.ForeignKey("b.id"))})
    assert.equal(ag.NullType, a.c.b_id.type)
    local b = ag.Table("b", m, {ag.Column("id", ag.ForeignKey("c.id"), {primary_key = true})})
    assert.equal(ag.NullType, a.c.b_id.type)
    ag.Table("c", m, {ag.Column("id", ag.String(5), {primary_key = true})})
    assert.equal(ag.String(5), b.c.id.type)
    assert.equal(ag.String(5), a.c.b_id.type)
  end)
end)

describe("foreign keys", function()
  local m
  before_each(function()
    m = ag.MetaData()
    ag.Table("users", m, {ag.Column("id", ag.Integer, {primary_key = true})})
  end)

  it("are found by text or by column", function()
    local users = m.tables.users
    local posts = ag.Table("posts", m, {
      ag.Column("a", ag.ForeignKey("users.id", {ondelete = "CASCADE"})),
      ag.Column("b", ag.ForeignKey(users.c.id)),
      ag.Column("parent", ag.ForeignKey("posts.id")), ag.Column("id", ag.Integer, {primary_key = true}),
    })
    assert.equal(users.c.id, posts.foreign_keys[1].column)
    assert.equal(users.c.id, posts.c.b.foreign_keys[1].column)
    assert.equal(posts.c.id, posts.c.parent.foreign_keys[1].column)
    assert.equal("users.id", posts.c.b.foreign_keys[1].target_fullname)
    assert.equal("CASCADE", posts.foreign_keys[1].constraint.ondelete)
    assert.is_true(posts.c.a:references(users.c.id))
    assert.equal(posts.c.a, posts.foreign_keys[1].parent)
  end)

  it("that find nothing say so when they are needed", function()
    local t = ag.Table("t", m, {ag.Column("x", ag.Integer, ag.ForeignKey("usrs.id"))})
    local e = failure(function() return t.foreign_keys[1].column end)
    assert.is_true(e:is(ag.exc.NoReferencedTableError))
    assert.matches("did you mean 'users'", e.message)
    local ok, err = pcall(ag.Table, "u", m, {ag.Column("x", ag.Integer, ag.ForeignKey("users.idd"))})
    assert.is_false(ok)
    assert.is_true(err:is(ag.exc.NoReferencedColumnError))
  end)

  it("refuse wrong options", function()
    assert.matches("expected CASCADE", message(ag.ForeignKey, "users.id", {ondelete = "DELETE"}))
    assert.matches("did you mean 'ondelete'", message(ag.ForeignKey, "users.id", {on_delete = "CASCADE"}))
    assert.matches("expected DEFERRED", message(ag.ForeignKey, "users.id", {initially = "later"}))
    assert.matches("table.column", message(ag.ForeignKey, 5))
    assert.matches("as many", message(ag.ForeignKeyConstraint, {"a", "b"}, {"users.id"}))
  end)

  it("order the tables; cycles are left to ALTER", function()
    ag.Table("b", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a_id", ag.ForeignKey("a.id"))})
    ag.Table("a", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("z_id", ag.ForeignKey("z.id"))})
    ag.Table("z", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    assert.same({"users", "z", "a", "b"}, names(m.sorted_tables))
    m.tables.z:append_column(ag.Column("b_id", ag.ForeignKey("b.id")))
    assert.same({"a", "b", "users", "z"}, names(m.sorted_tables))
  end)
end)

describe("constraints and indexes", function()
  it("made after their table attach themselves", function()
    local m = ag.MetaData()
    local t = ag.Table("t", m, {ag.Column("a", ag.Integer), ag.Column("b", ag.Text)})
    local ix = ag.Index("ix_b", ag.func.lower(t.c.b), t.c.a:desc(), {unique = true, postgresql_using = "btree"})
    local uq = ag.UniqueConstraint(t.c.a, t.c.b)
    assert.equal(t, ix.table)
    assert.equal(ix, t.indexes[1])
    assert.same({"b", "a"}, names(ix.columns))
    assert.equal(t, uq.table)
  end)

  it("refuse wrong options", function()
    assert.matches("did you mean 'postgresql_using'", message(ag.Index, "i", "a", {postgresql_usng = "gin"}))
    assert.matches("at least one column", message(ag.Index, "i"))
    assert.matches("expected at least one column", message(ag.UniqueConstraint))
    assert.matches("expected SQL text", message(ag.CheckConstraint, 5))
  end)

  it("are named by the convention", function()
    local m = ag.MetaData{naming_convention = {
      ix = "ix_%(column_0_label)s", uq = "uq_%(table_name)s_%(column_0_N_name)s", ck = "ck_%(table_name)s_%(constraint_name)s",
      fk = "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s", pk = "pk_%(table_name)s_%(short)s",
      short = function(_, tab) return tab.name:sub(1, 1) end,
    }}
    ag.Table("users", m, {ag.Column("id", ag.Integer, {primary_key = true})})
    local t = ag.Table("posts", m, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("user_id", ag.ForeignKey("users.id"), {index = true}),
      ag.Column("a", ag.Integer), ag.Column("b", ag.Integer), ag.UniqueConstraint("a", "b"),
      ag.CheckConstraint("a > 0", {name = "positive"}), ag.CheckConstraint("b > 0", {name = ag.conv("as_it_is")}),
      ag.UniqueConstraint("b", {name = "mine"}),
    })
    assert.same({"pk_posts_p", "uq_posts_a_b", "ck_posts_positive", "as_it_is", "mine", "fk_posts_user_id_users"},
      names(t.constraints))
    assert.same({"ix_posts_user_id"}, names(t.indexes))
    assert.matches("needs a name", message(ag.Table, "x", m, {ag.Column("a", ag.Integer), ag.CheckConstraint("a > 0")}))
    local bad = ag.MetaData{naming_convention = {uq = "uq_%(nonsense)s"}}
    assert.matches("unknown token", message(ag.Table, "x", bad, {ag.Column("a", ag.Integer, {unique = true})}))
  end)
end)

describe("sequences", function()
  it("number columns and give expressions", function()
    local m = ag.MetaData()
    local seq = ag.Sequence("order_no", {start = 1000, metadata = m})
    local t = ag.Table("t", m, {ag.Column("id", ag.Integer, seq, {primary_key = true})})
    assert.equal(seq, t.c.id.default)
    assert.equal("order_no", seq.name)
    assert.equal(1000, seq.start)
    assert.is_userdata(ag.select(seq:next_value()))
    assert.matches("expected an integer", message(ag.Sequence, "s", {start = 1.5}))
    assert.matches("must not be 0", message(ag.Sequence, "s", {increment = 0}))
  end)
end)
