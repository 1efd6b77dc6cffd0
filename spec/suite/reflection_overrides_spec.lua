--- Reflection beside what the program knows already: the cases of SQLAlchemy's test/engine/test_reflection.py.
local ag = require "argent"
local db = require "spec.support.db"

describe("reflection with overrides", function()
  local engine

  before_each(function()
    engine = db.engine()
    local m = ag.MetaData()
    ag.Table("users", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(30))})
    ag.Table("addresses", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("street", ag.String(30)),
      ag.Column("user_id", ag.Integer)})
    ag.Table("posts", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id"))})
    ag.Table("plain", m, {ag.Column("col1", ag.Integer, {autoincrement = false}), ag.Column("col2", ag.String(20)), ag.Index("ix_plain", "col2")})
    ag.Table("pair", m, {ag.Column("x", ag.Integer, {primary_key = true}), ag.Column("y", ag.Integer, {primary_key = true})})
    ag.Table("of_pair", m, {ag.Column("x", ag.Integer, {primary_key = true}), ag.Column("y", ag.Integer, {primary_key = true}),
      ag.ForeignKeyConstraint({"x", "y"}, {"pair.x", "pair.y"})})
    m:create_all(engine)
  end)
  after_each(db.cleanup)

  local function load(name, metadata, ...)
    local body = {...}
    body.autoload_with = engine
    return ag.Table(name, metadata, body)
  end

  local function join(a, b)
    return (tostring(ag.select(a.c[1]):select_from(a:join(b))):match("ON ([^\n]+)"))
  end

  it("upgrades a column to a primary key", function()
    local t = load("plain", ag.MetaData(), ag.Column("col1", ag.Integer, {primary_key = true}))
    assert.are.equal(t.c.col1, t.primary_key.columns[1])
    assert.is_true(t.c.col1.primary_key)
    assert.are.equal(1, #t.primary_key.columns)
  end)

  it("takes a foreign key of the caller's on a key column, whichever table comes first", function()
    for _, first in ipairs{"users", "addresses"} do
      local m = ag.MetaData()
      local before = first == "users" and load("users", m)
      local a = load("addresses", m, ag.Column("id", ag.Integer, ag.ForeignKey("users.id"), {primary_key = true}))
      local u = before or load("users", m)
      assert.are.same({a.c.id, 1}, {a.primary_key.columns[1], #a.primary_key.columns})
      assert.are.same({u.c.id, 1}, {u.primary_key.columns[1], #u.primary_key.columns})
      assert.are.equal("users.id = addresses.id", join(u, a))
    end
  end)

  it("takes a new foreign key, between columns whose keys are exchanged", function()
    local m = ag.MetaData()
    local u = load("users", m, ag.Column("id", ag.Integer, {key = "u_id", primary_key = true}))
    local a = load("addresses", m, ag.Column("id", ag.Integer, {key = "street", primary_key = true}),
      ag.Column("street", ag.String(30), {key = "user_id"}), ag.Column("user_id", ag.Integer, ag.ForeignKey("users.u_id"), {key = "id"}))
    assert.are.equal("users.id = addresses.user_id", join(u, a))
    assert.are.equal(u.c.u_id, u.primary_key.columns[1])
    assert.are.same({2, 1, 3, 2}, {#u.c, #u.constraints, #a.c, #a.constraints})
    assert.are.same({"id", "street", "user_id"}, {a.c.street.name, a.c.user_id.name, a.c.id.name})
  end)

  it("does not double a composite foreign key that is given", function()
    local x, y = ag.Column("x", ag.Integer, {primary_key = true}), ag.Column("y", ag.Integer, {primary_key = true})
    local fk = ag.ForeignKeyConstraint({"x", "y"}, {"pair.x", "pair.y"})
    local t = load("of_pair", ag.MetaData(), x, y, fk)
    assert.is_true(rawequal(x, t.c.x) and rawequal(y, t.c.y))
    assert.are.equal(2, #t.constraints)
    assert.are.equal(fk, t.constraints[2])
  end)

  it("does not double a foreign key that is given", function()
    local m = ag.MetaData()
    local p = load("posts", m, ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")))
    local u = load("users", m)
    assert.are.same({1, 1, 2}, {#p.foreign_keys, #p.c.user_id.foreign_keys, #p.constraints})
    assert.are.equal(p.c.user_id, p.foreign_keys[1].parent)
    assert.are.equal("users.id = posts.user_id", join(u, p))
  end)

  it("finds the target of a reflected foreign key by name, under whatever key", function()
    local m = ag.MetaData()
    local u = load("users", m, ag.Column("id", ag.Integer, {primary_key = true, key = "x1"}))
    local p = load("posts", m)
    assert.are.equal("users.id = posts.user_id", join(u, p))
    assert.is_true(p.c.user_id:references(u.c.x1))
  end)

  it("raises where the target of a foreign key was left out", function()
    local m = ag.MetaData()
    local u = ag.Table("users", m, {autoload_with = engine, include_columns = {"name"}})
    local p = load("posts", m)
    local ok, e = pcall(u.join, u, p)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoReferencedColumnError), tostring(e))
  end)

  it("keeps the program's columns with autoload_replace = false: keys new, present and removed", function()
    local function extended(column)
      local m = ag.MetaData()
      local t = ag.Table("posts", m, {column})
      local u = load("users", m)
      ag.Table("posts", m, {autoload_with = engine, extend_existing = true, autoload_replace = false})
      return t, u
    end
    local t, u = extended(ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")))
    assert.is_true(t.c.user_id:references(u.c.id))
    assert.are.same({2, "posts.c(user_id, id)"}, {#t.constraints, tostring(t.c)})
    t, u = extended(ag.Column("user_id", ag.Integer))
    assert.is_false(t.c.user_id:references(u.c.id))
    assert.are.equal(1, #t.constraints)
    local m = ag.MetaData()
    local plain = ag.Table("plain", m, {ag.Column("col1", ag.Integer, {primary_key = true})})
    ag.Table("plain", m, {autoload_with = engine, extend_existing = true, autoload_replace = false})
    assert.are.same({plain.c.col1, 1}, {plain.primary_key.columns[1], #plain.primary_key.columns})
  end)

  it("never doubles a column or an index when it reflects again", function()
    local m = ag.MetaData()
    for _ = 1, 2 do
      m:reflect(engine, {extend_existing = true})
      assert.are.equal("plain.c(col1, col2)", tostring(m.tables.plain.c))
      assert.are.equal(1, #m.tables.plain.indexes)
      assert.are.same({2, 2}, {#m.tables.posts.constraints, #m.tables.of_pair.constraints})
    end
  end)

  it("never has two columns of one name: another key replaces, and so does the plain name", function()
    local m = ag.MetaData()
    local t = ag.Table("plain", m, {ag.Column("col1", ag.Integer, {primary_key = true}), ag.Column("col2", ag.String, {key = "two"})})
    m:reflect(engine, {extend_existing = true, autoload_replace = false})
    assert.are.equal("plain.c(col1, two)", tostring(t.c))
    m:reflect(engine, {extend_existing = true})
    assert.are.equal("plain.c(col1, col2)", tostring(t.c))
    ag.Table("plain", m, {ag.Column("col2", ag.Integer, {key = "deux"}), extend_existing = true})
    assert.are.equal("plain.c(col1, deux)", tostring(t.c))
    assert.are.equal(t.c.deux, rawget(t.c, 2))
    -- one that takes the name of the first and the key of the second stands in the place of both
    local both = ag.Column("col1", ag.Integer, {key = "deux", primary_key = true})
    ag.Table("plain", m, {both, ag.Column("more", ag.Integer), extend_existing = true})
    assert.are.equal("plain.c(deux, more)", tostring(t.c))
    assert.are.same({both}, t.primary_key.columns)
    assert.are.equal("SELECT plain.col1, plain.more FROM plain", tostring(ag.select(t)))
    for _, second in ipairs{ag.Column("x", ag.Integer), ag.Column("x", ag.Integer, {key = "y"})} do
      local ok, e = pcall(ag.Table, "twice", ag.MetaData(), {ag.Column("x", ag.Integer, {key = second.key == "x" and "z" or "x"}), second})
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.DuplicateColumnError), tostring(e))
    end
    local ok, e = pcall(load, "plain", ag.MetaData(), ag.Column("col1", ag.Integer, {key = "col2"}), ag.Column("col2", ag.Integer))
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.DuplicateColumnError), tostring(e))
  end)

  it("adds the caller's key columns behind the database's, and lets none out of the key", function()
    local m = ag.MetaData()
    local t = load("users", m, ag.Column("extra", ag.Integer, {primary_key = true}))
    local function names()
      local out = {}
      for i, c in ipairs(t.primary_key.columns) do out[i] = c.name end
      return out
    end
    assert.are.same({"id", "extra"}, names())
    t:append_column(ag.Column("third", ag.Integer, {primary_key = true}))
    assert.are.same({"id", "extra", "third"}, names())
    ag.Table("users", m, {ag.Column("id", ag.String, {primary_key = true}), extend_existing = true})
    assert.are.same({"id", "extra", "third"}, names())
    local name = t.primary_key.name
    for _, options in ipairs{{extend_existing = true}, {extend_existing = true, autoload_with = engine}} do
      options[1] = ag.Column("id", ag.Integer)
      local ok, e = pcall(ag.Table, "users", m, options)
      assert.is_false(ok)
      assert.matches("Trying to redefine primary%-key column 'id'", tostring(e))
      assert.are.same({name, {"id", "extra", "third"}}, {t.primary_key.name, names()})
    end
    local z = ag.Column("name", ag.String, {primary_key = true}) -- not in the database's key, but in the program's
    t = ag.Table("users", ag.MetaData(), {z})
    ag.Table("users", t.metadata, {autoload_with = engine, extend_existing = true})
    assert.are.same({"name", "id"}, names())
    assert.is_false(rawequal(z, t.c.name))
  end)

  it("puts a column of the caller's that include_columns leaves out behind the others", function()
    local t = ag.Table("addresses", ag.MetaData(), {ag.Column("id", ag.String), autoload_with = engine, include_columns = {"user_id", "street"}})
    assert.are.equal("addresses.c(street, user_id, id)", tostring(t.c))
    assert.are.equal(0, #t.primary_key.columns)
  end)

  it("lets column_reflect change keys under foreign keys and indexes, types, info and defaults", function()
    local m = ag.MetaData()
    ag.event.listen(m, "column_reflect", function(_, tab, info)
      if info.name == "id" then info.key = "xyz" end
      if info.name == "user_id" then info.key = "qyz" end
      if tab.name == "plain" and info.name == "col2" then
        info.key, info.type, info.info, info.default = "second", ag.Text, {a = "b"}, "5"
      end
    end)
    m:reflect(engine)
    assert.is_true(m.tables.posts.c.qyz:references(m.tables.users.c.xyz))
    local plain = m.tables.plain
    assert.are.equal(plain.c.second, plain.indexes[1].columns[1])
    assert.are.same({"Text", "b", "5"}, {plain.c.second.type.class_name, plain.c.second.info.a, tostring(plain.c.second.server_default.arg)})
  end)

  it("takes listeners on ag.MetaData", function()
    local seen = {}
    local function note(_, _, info) seen[#seen + 1] = info.name end
    ag.event.listen(ag.MetaData, "column_reflect", note)
    local ok, e = pcall(load, "plain", ag.MetaData())
    ag.event.remove(ag.MetaData, "column_reflect", note)
    assert.is_true(ok, tostring(e))
    load("plain", ag.MetaData())
    assert.are.same({"col1", "col2"}, seen)
  end)

  it("skips a foreign key of a column that is not wanted", function()
    local m = ag.MetaData()
    local p = ag.Table("posts", m, {autoload_with = engine, include_columns = {"id"}})
    assert.are.same({1, nil}, {#p.constraints, m.tables.users})
  end)

  it("follows schema_translate_map", function()
    local conn <close> = engine:connect()
    conn:execution_options{schema_translate_map = {elsewhere = ag.inspect(conn).default_schema_name}}
    local t = ag.Table("plain", ag.MetaData(), {schema = "elsewhere", autoload_with = conn})
    assert.are.same({"elsewhere", "elsewhere.plain.c(col1, col2)"}, {t.schema, tostring(t.c)})
  end)

  it("tells listeners of ag.Table and ag.MetaData of every create and drop", function()
    local seen, m = {}, ag.MetaData()
    ag.Table("made", m, {ag.Column("id", ag.Integer)})
    local function note(who)
      return function(target) seen[#seen + 1] = who .. " " .. (target == m and "metadata" or target.name) end
    end
    local a, b = note("before"), note("after")
    ag.event.listen(ag.MetaData, "before_create", a)
    ag.event.listen(ag.Table, "after_create", b)
    local ok, e = pcall(m.create_all, m, engine)
    ag.event.remove(ag.MetaData, "before_create", a)
    ag.event.remove(ag.Table, "after_create", b)
    assert.is_true(ok, tostring(e))
    assert.are.same({"before metadata", "after made"}, seen)
  end)
end)
