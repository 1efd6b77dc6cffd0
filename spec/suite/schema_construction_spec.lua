--- What tables, columns and constraints are made of: what waits for its columns, what is refused, where columns go.
local ag = require "argent"
local db = require "spec.support.db"
local pg = ag.postgresql
local C, I, S, FK = ag.Column, ag.Integer, ag.String, ag.ForeignKey

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end
local function keys(list)
  local out = {}
  for i, c in ipairs(list) do out[i] = c.key end
  return table.concat(out, " ")
end
local function tab(name, items, metadata) return ag.Table(name, metadata or ag.MetaData(), items) end

describe("constraints and indexes of columns without a table", function()
  it("go to the table of the last of their columns", function()
    local a, b = C("a", I), C("b", I)
    local ix, uq = ag.Index("ix_ab", a, b, {unique = true}), ag.UniqueConstraint(a, b, {name = "uq_ab"})
    local ex = pg.ExcludeConstraint({b, "="}, {name = "ex_b"})
    local fk = ag.ForeignKeyConstraint({a}, {"other.id"}, {name = "fk_a"})
    local t = tab("t", {a})
    assert.equal(fk, t.constraints[2])
    assert.same({2, 0}, {#t.constraints, #t.indexes})
    assert.is_nil(ix.table)
    t:append_column(b)
    assert.same({t, t, t}, {ix.table, uq.table, ex.table})
    assert.same({4, 1}, {#t.constraints, #t.indexes})
    assert.equal("CREATE UNIQUE INDEX ix_ab ON t (a, b)", ag.CreateIndex(ix):compile().string)
  end)

  it("are made once when the table gets them, too", function()
    local a = C("a", I)
    local uq, ix = ag.UniqueConstraint(a), ag.Index("ix", a)
    local t = tab("t", {a, uq, ix})
    assert.same({2, 1}, {#t.constraints, #t.indexes})
    assert.equal(1, select(2, ag.CreateTable(t):compile().string:gsub("UNIQUE", "")))
  end)

  it("wait for nobody when names stand among them, and belong to one table", function()
    local m = ag.MetaData()
    local b = C("b", I)
    local waits = ag.UniqueConstraint("a", b)
    local t = tab("t", {C("a", I), b}, m)
    assert.is_nil(waits.table)
    assert.equal(t, ag.UniqueConstraint("b", t.c.a).table)
    local u = tab("u", {C("x", I)}, m)
    assert.is_nil(ag.CheckConstraint(t.c.a:gt(u.c.x)).table)
    assert.matches("'u.x' does not belong to table 't'", message(ag.UniqueConstraint, t.c.a, u.c.x))
    assert.matches("'u.x' does not belong to table 't'", message(ag.Index, "ix", t.c.a, u.c.x))
    local ix = ag.Index("ix", t.c.a)
    assert.matches("belongs to table 't' already", message(tab, "v", {C("a", I), ix}, m))
  end)

  if db.postgresql then
    it("are created", function()
      local engine, m = db.engine(), ag.MetaData()
      local a, b = C("a", I), C("b", I)
      ag.Index("ix_ab", a, b)
      ag.UniqueConstraint(b, {name = "uq_b"})
      tab("t", {C("id", I, {primary_key = true}), a, b}, m)
      m:create_all(engine)
      assert.equal("uq_b", ag.inspect(engine):get_unique_constraints("t")[1].name)
      m:drop_all(engine)
      db.cleanup()
    end)
  end
end)

describe("what is refused", function()
  local fk = FK "a.id"
  C("held", I, fk)
  local cases = {
    ["column 'a' is given twice"] = function() ag.ForeignKeyConstraint({"a", "a"}, {"b.x", "b.y"}) end,
    ["refers to two tables: 'b' and 'd'"] = function() ag.ForeignKeyConstraint({"a", "c"}, {"b.x", "d.y"}) end,
    ["belongs to column 'held' already"] = function() C("y", I, fk) end,
    ["Identity, and autoincrement = false"] = function() C("x", I, ag.Identity(), {autoincrement = false}) end,
    ["an Identity and a Sequence"] = function() C("x", I, ag.Identity(), ag.Sequence "s") end,
    ["'server_onupdate' beside Identity"] = function() C("x", I, ag.Identity(), {server_onupdate = "5"}) end,
    ["'server_onupdate' beside Computed"] = function() C("x", I, ag.Computed "y", {server_onupdate = "5"}) end,
    ["only one of them can be"] = function() C("x", I, ag.Computed "y", {server_default = "5"}) end,
    ["the constraint of table 't' has no name"] = function()
      local t = tab("t", {C("a", I), ag.UniqueConstraint("a", {comment = "c"})})
      ag.SetConstraintComment(t.constraints[2])
    end,
    ["expected a place from 1 to 2"] = function() tab("t", {C("a", I)}):insert_column(C("b", I), 3) end,
    ["has a column with key 'a' already"] = function() tab("t", {C("a", I)}):insert_column(C("a", S), 1) end,
    ["expected a schema's name or an options table"] = function() ag.MetaData(42) end,
    ["item 1: expected a Table"] = function() ag.sort_tables{5} end,
    ["expected a list of tables"] = function() ag.sort_tables_and_constraints(ag.MetaData()) end,
  }
  for text, f in pairs(cases) do
    it(text, function() assert.matches(text, message(f)) end)
  end
end)

describe("Table:insert_column", function()
  it("puts a column at any place", function()
    for i = 1, 4 do
      local t = tab("t", {C("a", I), C("b", I, {primary_key = true}), C("c", I)})
      local order = {"a", "b", "c"}
      local expression = t.c.a:lt(t.c.c)
      table.insert(order, i, "q")
      local c = C("q", S, {primary_key = i % 2 == 0})
      t:insert_column(c, i)
      assert.equal(table.concat(order, " "), keys(t.c))
      for k, key in ipairs(order) do
        assert.equal(t.c[key], t.c[k])
        assert.equal(key, t.c[k].name)
      end
      assert.equal(i % 2 == 0 and "b q" or "b", keys(t.primary_key.columns))
      local text = {}
      for k, key in ipairs(order) do text[k] = "t." .. key end
      assert.equal("SELECT " .. table.concat(text, ", ") .. " FROM t", (ag.select(t):compile().string:gsub("%s+", " ")))
      assert.equal("t.a < t.c", expression:compile().string)
      assert.matches("^%s*CREATE TABLE t %(%s*" .. order[1] .. " ", ag.CreateTable(t):compile().string)
    end
  end)

  it("replaces one and moves it", function()
    for i = 1, 4 do
      local t = tab("t", {C("a", I), C("b", I), C("c", I), C("d", I)})
      local order = {"a", "c", "d"}
      table.insert(order, i, "b")
      t:insert_column(C("b", S), i, {replace_existing = true})
      assert.equal(table.concat(order, " "), keys(t.c))
      assert.equal("String", t.c.b.type.class_name)
    end
  end)

  it("rows and keys follow the order", function()
    local engine, m = db.engine(), ag.MetaData()
    local t = tab("t", {C("id", I, {primary_key = true}), C("z", I)}, m)
    t:insert_column(C("n", S(5)), 1)
    m:create_all(engine)
    engine:begin(function(conn)
      assert.equal(7, conn:execute(ag.insert(t), {id = 7, n = "x", z = 3}).inserted_primary_key[1])
      assert.same({"x", 7, 3}, {ag.unpack(conn:execute(ag.select(t)):one())})
    end)
    m:drop_all(engine)
    db.cleanup()
  end)
end)

describe("sorting of tables", function()
  it("gives foreign keys of cycles apart", function()
    local m = ag.MetaData("shop")
    local t = {}
    for name, to in pairs{a = "b", b = "a", c = "e", e = "d"} do t[name] = to end
    for _, name in ipairs{"a", "b", "c", "d", "e"} do
      t[name] = tab(name, {t[name] and C("foo", I, FK("shop." .. t[name] .. ".foo")) or C("foo", I)}, m)
    end
    local names, counts = {}, {}
    local sorted = ag.sort_tables_and_constraints{t.a, t.b, t.c, t.d, t.e}
    for i, pair in ipairs(sorted) do names[i], counts[i] = pair[1] == ag.null and "-" or pair[1].name, #pair[2] end
    assert.equal("a b d e c -", table.concat(names, " "))
    assert.equal("0 0 0 1 1 2", table.concat(counts, " "))
    assert.equal("d", ag.sort_tables{t.c, t.e, t.d}[1].name)
    assert.same({"shop"}, m.schemas)
    assert.equal("foo", ag.ForeignKeyConstraint({"foo"}, {"x.y"}).column_keys[1])
  end)
end)

describe("naming conventions", function()
  --- What a key of two columns to another table is called; key and name of its second target differ.
  local function name_of(format, schema)
    local m = ag.MetaData{naming_convention = {[ag.ForeignKeyConstraint] = format}}
    ag.Table("person", m, {C("first", S(9), {primary_key = true}), C("Second", S(9), {key = "second", primary_key = true}),
      schema = schema})
    local t = ag.Table("badge", m, {C("one", S(9)), C("Two", S(9), {key = "two"})})
    local prefix = schema and schema .. "." or ""
    local fk = ag.ForeignKeyConstraint({"one", "two"}, {prefix .. "person.first", prefix .. "person.second"})
    t:append_constraint(fk)
    return fk.name
  end

  it("name columns as the database knows them, on both sides", function()
    for format, want in pairs{
      ["fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s_%(referred_column_0_N_name)s"] =
        "fk_badge_one_Two_person_first_Second",
      ["%(referred_column_1_name)s"] = "Second", ["%(referred_column_0N_name)s"] = "firstSecond", ["%(column_1_key)s"] = "two",
      ["%(column_0N_label)s"] = "badge_onebadge_Two", ["%(column_1_label)s"] = "badge_Two",
    } do
      assert.equal(want, name_of(format))
      assert.equal(want, name_of(format, "area"))
    end
  end)

  it("take classes of constraints as keys", function()
    local m = ag.MetaData{naming_convention = {[ag.UniqueConstraint] = "uq_%(table_name)s_%(column_0_name)s",
      [ag.PrimaryKeyConstraint] = "pk_%(table_name)s", [ag.Index] = "in_%(column_0_name)s", [ag.CheckConstraint] = "ck_%(constraint_name)s"}}
    local t = ag.Table("t", m, {C("id", I, {primary_key = true}), C("a", I, {unique = true}), C("b", I, {index = true}),
      ag.CheckConstraint("a > 0", {name = "pos"})})
    local names = {}
    for i, c in ipairs(t.constraints) do names[i] = c.name end
    table.sort(names)
    assert.equal("ck_pos pk_t uq_t_a", table.concat(names, " "))
    assert.equal("in_b", t.indexes[1].name)
    assert.matches("expected names as keys", message(ag.MetaData, {naming_convention = {[print] = "x"}}))
  end)
end)

describe("events of DDL", function()
  after_each(db.cleanup)

  it("come in SQLAlchemy's order; drop_all tells the tables as they go", function()
    local engine, m, seen = db.engine(), ag.MetaData(), {}
    local parent = ag.Table("p", m, {C("id", I, {primary_key = true}), C("x", I, {index = true})})
    local child = ag.Table("c", m, {C("id", I, {primary_key = true}), C("p", FK("p.id"))})
    local function listen(tag, target, name)
      ag.event.listen(target, name, function(_, _, context)
        local names = {}
        for i, t in ipairs(context.tables or {}) do names[i] = t.name end
        seen[#seen + 1] = tag .. "." .. name .. (tag == "m" and "(" .. table.concat(names, " ") .. ")" or "")
      end)
    end
    for _, name in ipairs{"before_create", "after_create", "before_drop", "after_drop"} do
      listen("m", m, name)
      listen("p", parent, name)
      listen("c", child, name)
      listen("ix", parent.indexes[1], name)
    end
    local function run(f)
      seen = {}
      f()
      return table.concat(seen, " ")
    end
    assert.equal("m.before_create(p c) p.before_create ix.before_create ix.after_create p.after_create c.before_create c.after_create "
      .. "m.after_create(p c)", run(function() m:create_all(engine) end))
    assert.equal("m.before_create() m.after_create()", run(function() m:create_all(engine) end))
    assert.equal("ix.before_drop ix.after_drop", run(function() parent.indexes[1]:drop(engine) end))
    assert.equal("m.before_drop(c p) c.before_drop c.after_drop p.before_drop p.after_drop m.after_drop(c p)",
      run(function() m:drop_all(engine) end))
    assert.equal("p.before_create ix.before_create ix.after_create p.after_create", run(function() parent:create(engine) end))
    assert.equal("", run(function() parent:create(engine, {checkfirst = true}) end))
    assert.equal("p.before_drop p.after_drop", run(function() parent:drop(engine) end))
  end)
end)

if db.postgresql then
  describe("sequences of columns", function()
    after_each(db.cleanup)

    it("come and go with their table, unless another table has them", function()
      local engine, m = db.engine(), ag.MetaData()
      local own, common = ag.Sequence("own_no"), ag.Sequence("common_no")
      local a = ag.Table("a", m, {C("id", I, own, {primary_key = true}), C("n", I, common)})
      local b = ag.Table("b", m, {C("id", I, {primary_key = true}), C("n", I, common)})
      local function there() return table.concat(ag.inspect(engine):get_sequence_names(), " ") end
      a:create(engine, {checkfirst = false})
      assert.equal("common_no own_no", there())
      b:create(engine)
      a:create(engine, {checkfirst = true})
      a:drop(engine, {checkfirst = false})
      assert.equal("b_id_seq common_no", there())
      a:drop(engine, {checkfirst = true})
      a:create(engine)
      assert.equal("b_id_seq common_no own_no", there())
      own:drop(engine)
      a:drop(engine) -- its sequence is gone already
      b:drop(engine)
      m:drop_all(engine)
      assert.equal("", there())
    end)
  end)
end

describe("Table:to_metadata", function()
  it("copies info tables, each by itself, and says whose Identity, Computed and Sequence are", function()
    local fk, ck = FK("other.id", {info = {f = 1}}), ag.CheckConstraint("c > 5", {info = {k = 1}})
    local number = ag.Sequence "number"
    local t = ag.Table("t", ag.MetaData(), {C("c", I, fk, {info = {c = 1}, primary_key = true}), ck, C("i", I, ag.Identity()),
      C("g", I, ag.Computed "c + 1"), C("s", I, number), ag.Index("ix", "i", {info = {x = 1}}), info = {t = 1}})
    t.primary_key.info.pk, fk.info.later = 1, 2
    local u = t:to_metadata(ag.MetaData())
    local fk2, ck2 = u.c.c.foreign_keys[1], nil
    for _, item in ipairs(u.constraints) do
      if item.info.k then ck2 = item end
    end
    assert.same({{f = 1, later = 2}, {k = 1}, {c = 1}, {t = 1}, {pk = 1}, {x = 1}},
      {fk2.info, ck2.info, u.c.c.info, u.info, u.primary_key.info, u.indexes[1].info})
    for _, object in ipairs{fk2, ck2, u.c.c, u, u.primary_key, u.indexes[1]} do object.info.new = true end
    for _, object in ipairs{fk, ck, t.c.c, t, t.primary_key, t.indexes[1]} do assert.is_nil(object.info.new) end
    for _, tab_ in ipairs{t, u} do
      assert.equal(tab_.c.i, tab_.c.i.identity.column)
      assert.equal(tab_.c.g, tab_.c.g.computed.column)
      assert.equal(tab_.c.s, tab_.c.s.default.column)
    end
    assert.equal(number, t.c.s.default)
  end)

  it("finds foreign keys' schemas as SQLAlchemy does", function()
    --- schema of the table, the target, the new schema → the target of the copy
    for i, case in ipairs{{nil, "q.t1.x", nil, "q.t1.x"}, {nil, "q.t1.x", "z", "q.t1.x"}, {"q", "q.t1.x", nil, "q.t1.x"},
      {"q", "q.t1.x", "z", "z.t1.x"}, {"q", "p.t1.x", nil, "p.t1.x"}, {"q", "p.t1.x", "z", "p.t1.x"}} do
      for _, by_column in ipairs{false, true} do
        local m = ag.MetaData()
        local target = by_column and ag.Table("t1", m, {C("x", I), schema = case[2]:sub(1, 1)}).c.x or case[2]
        local t = ag.Table("t2", m, {C("y", I, FK(target)), schema = case[1]})
        assert.equal(case[4], t:to_metadata(ag.MetaData(), {schema = case[3]}).c.y.foreign_keys[1].target_fullname, "case " .. i)
      end
    end
    local t = ag.Table("t2", ag.MetaData(), {C("y", I, FK "p.t1.x")})
    for want, schema in pairs{["h.t1.x"] = "h", ["t1.x"] = ag.BLANK_SCHEMA, ["p.t1.x"] = ag.RETAIN_SCHEMA} do
      local copy = t:to_metadata(ag.MetaData(), {referred_schema_fn = function() return schema end})
      assert.equal(want, copy.c.y.foreign_keys[1].target_fullname)
    end
  end)
end)
