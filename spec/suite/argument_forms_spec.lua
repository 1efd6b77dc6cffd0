-- What SQLAlchemy takes by place it also takes by name, and some things have an older name: every form gives the SQL of the plain one.
local ag = require "argent"
local expect = require "spec.support.expect"
local db = require "spec.support.db"
local t = require "spec.golden.tables"
local users, addresses = t.users, t.addresses
local u, a, func, pg, sq = users.c, addresses.c, ag.func, ag.postgresql, ag.sqlite

--- The statement's SQL, values between brackets: an expression is selected.
local function sql(made, dialect)
  if pcall(function() return made.in_ end) then made = ag.select(made) end
  local compiled = made:compile{dialect = dialect, render_postcompile = true}
  local values = {}
  for i, v in ipairs(compiled.positional) do values[i] = tostring(v) end
  return compiled.string:gsub("%s+", " ") .. " [" .. table.concat(values, ", ") .. "]"
end

local nested = ag.select(a.user_id):where(a.user_id:eq(u.id))
local forms = {
  {"onclause of join", ag.select(u.id):join(addresses, {onclause = u.id:eq(a.id)}), ag.select(u.id):join(addresses, u.id:eq(a.id))},
  {"onclause and full", ag.select(u.id):join(addresses, {onclause = u.id:eq(a.id), full = true}),
    ag.select(u.id):join(addresses, u.id:eq(a.id), {full = true})},
  {"onclause of join_from", ag.select(u.id):join_from(users, addresses, {onclause = u.id:eq(a.id)}),
    ag.select(u.id):join_from(users, addresses, u.id:eq(a.id))},
  {"onclause of table:join", ag.select(users:outerjoin(addresses, {onclause = u.id:eq(a.id)})),
    ag.select(users:outerjoin(addresses, u.id:eq(a.id)))},
  {"name of alias", ag.select(users:alias{name = "z"}), ag.select(users:alias("z"))},
  {"name of subquery", ag.select(nested:subquery{name = "z"}), ag.select(nested:subquery("z"))},
  {"name of cte", ag.select(nested:cte{name = "z", recursive = true}), ag.select(nested:cte("z", {recursive = true}))},
  {"ag.cte", ag.select(ag.cte(nested, "z")), ag.select(nested:cte("z"))},
  {"type of column", ag.column("x", {type = ag.Integer}) / 2, ag.column("x", ag.Integer) / 2},
  {"type of literal_column", ag.literal_column("x", {type = ag.String}) + "y", ag.literal_column("x", ag.String) + "y"},
  {"type of cast", ag.cast(u.id, {type = ag.String}), ag.cast(u.id, ag.String)},
  {"literal with type and option", ag.literal("x", ag.String, {literal_execute = true}),
    ag.literal("x", {type = ag.String, literal_execute = true})},
  {"escape by place", u.name:like("x/%", "/"), u.name:like("x/%", {escape = "/"})},
  {"escape of startswith", u.name:startswith("x", "/"), u.name:startswith("x", {escape = "/"})},
  {"flags by place", u.name:match("x") & u.name:regexp_match("x", "i"), u.name:match("x") & u.name:regexp_match("x", {flags = "i"})},
  {"precedence by place", (u.id + 1):op("@", 30)(u.age * 2), (u.id + 1):op("@", {precedence = 30})(u.age * 2)},
  {"fetch with_ties by place", ag.select(u.id):order_by(u.id):fetch(3), ag.select(u.id):order_by(u.id):fetch(3, false)},
  {"isnot", u.id:isnot(nil), u.id:is_not(nil)},
  {"isnot_distinct_from", u.id:isnot_distinct_from(3), u.id:is_not_distinct_from(3)},
  {"notin_", u.id:notin_{1, 2}, u.id:not_in{1, 2}},
  {"notlike", u.name:notlike("x"), u.name:not_like("x")},
  {"notilike", u.name:notilike("x"), u.name:not_ilike("x")},
  {"nullsfirst", ag.select(u.id):order_by(u.id:nullsfirst(), ag.nullslast(u.age)),
    ag.select(u.id):order_by(u.id:nulls_first(), ag.nulls_last(u.age))},
  {"ag.label", ag.select(ag.label("x", u.id)), ag.select(u.id:label("x"))},
  {"ag.label with a type", ag.label("x", u.id, ag.String) + "y", ag.type_coerce(u.id, ag.String):label("x") + "y"},
  {"ag.bitwise_not", ag.bitwise_not(u.id), u.id:bitwise_not()},
  {"case of one list", ag.case({{u.id:eq(1), "a"}, {u.id:eq(2), "b"}}, {else_ = "c"}),
    ag.case({u.id:eq(1), "a"}, {u.id:eq(2), "b"}, {else_ = "c"})},
  {"case of one list without else", ag.case{{u.id:eq(1), "a"}}, ag.case({u.id:eq(1), "a"})},
  {"ordered_values of one list", ag.update(users):ordered_values{{u.name, "x"}, {"age", 3}},
    ag.update(users):ordered_values({u.name, "x"}, {"age", 3})},
  {"update inline", ag.update(users):inline():values{age = 3}, ag.update(users):values{age = 3}},
  {"in_ of a bindparam with a list", u.id:in_(ag.bindparam("x", {1, 2})), u.id:in_(ag.bindparam("x", {1, 2}, {expanding = true}))},
  {"types of a tuple", ag.tuple_(u.id, "x", {types = {ag.Integer, ag.String}}):eq(ag.tuple_(1, "y")),
    ag.tuple_(u.id, "x"):eq(ag.tuple_(1, "y"))},
  {"exists of a scalar subquery", ag.select(u.id):where(ag.exists(nested:scalar_subquery())), ag.select(u.id):where(ag.exists(nested))},
  {"where of a scalar subquery", ag.select(ag.select(a.id):scalar_subquery():where(a.id:eq(3))),
    ag.select(ag.select(a.id):where(a.id:eq(3)):scalar_subquery())},
  {"correlate of a scalar subquery", ag.select(u.id):where(u.id:eq(nested:scalar_subquery():correlate(users))),
    ag.select(u.id):where(u.id:eq(nested:correlate(users):scalar_subquery()))},
  {"types of text columns", ag.select(ag.text"SELECT id, name FROM users":columns{name = ag.String, id = ag.Integer}:subquery("z")),
    ag.select(ag.text"SELECT id, name FROM users":columns(ag.column("id", ag.Integer), ag.column("name", ag.String)):subquery("z"))},
  {"columns and types of text", ag.select(ag.text"SELECT id, name FROM users":columns(ag.column "id", {name = ag.String}):subquery("z")),
    ag.select(ag.text"SELECT id, name FROM users":columns(ag.column "id", ag.column("name", ag.String)):subquery("z"))},
  {"in_ of a function", u.id:in_(func.unnest(ag.literal_column "x")), u.id:in_(ag.select(func.unnest(ag.literal_column "x")))},
  {"quote by name", ag.select(ag.table(ag.quoted_name("some", {quote = true}), ag.column "a")),
    ag.select(ag.table(ag.quoted_name("some", true), ag.column "a"))},
  {"a selected column's name in OVER", ag.select(u.id, func.rank():over{order_by = "id"}), ag.select(u.id, func.rank():over{order_by = u.id})},
}

describe("forms of arguments", function()
  for _, form in ipairs(forms) do
    it(form[1], function()
      for _, dialect in ipairs{"sqlite", "postgresql"} do
        local ok, text = pcall(sql, form[3], dialect)
        local same, got = pcall(sql, form[2], dialect)
        assert.equal(ok, same)
        assert.equal(tostring(text), tostring(got))
      end
    end)
  end

  it("refuses what is given twice, and names that mean nothing there", function()
    local function message(f) return tostring(select(2, pcall(f))) end
    assert.matches("'onclause' is given twice", message(function() return ag.select(u.id):join(addresses, u.id:eq(1), {onclause = u.id:eq(2)}) end))
    assert.matches("unknown option 'nam'", message(function() return users:join(addresses, {nam = 1}) end))
    assert.matches("types.-one a member", message(function() return ag.tuple_(u.id, 1, {types = {ag.Integer}}) end))
    assert.matches("begins with ag.true_%(%)", message(function() return ag.and_() end))
    assert.matches("begins with ag.false_%(%)", message(function() return ag.or_{} end))
    assert.matches("for INSERT only", message(function() return ag.update(users):returning(u.id, {sort_by_parameter_order = true}) end))
    assert.matches("label reference", message(function() return sql(ag.select(u.id:label("x"), func.rank():over{order_by = "x"}), "sqlite") end))
    assert.matches("is a list", message(function() return u.id:in_(ag.bindparam("x", 5)) end))
  end)

  it("DISTINCT ON knows labels by name", function()
    assert.equal("SELECT DISTINCT ON (x) users.id AS x FROM users []", sql(ag.select(u.id:label("x")):distinct("x"), "postgresql"))
  end)
end)

describe("upserts", function()
  local engine, conn, stock, c
  before_each(function()
    engine = db.engine()
    local m = ag.MetaData()
    stock = ag.Table("stock", m, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("sku", ag.String(10)), ag.Column("shop", ag.Integer), ag.Column("n", ag.Integer),
      ag.Column("doc", db.postgresql and pg.JSONB or ag.JSON),
      ag.UniqueConstraint("sku", {name = "uq_sku"}), ag.Index("ix_shop", "shop", {unique = true, postgresql_where = ag.column("shop"):gt(0)}),
    })
    c = stock.c
    m:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(stock), {{id = 1, sku = "a", shop = 1, n = 1}, {id = 2, sku = "b", shop = 2, n = 1}})
  end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  local function rows()
    local out = {}
    for _, id, n in conn:execute(ag.select(c.id, c.n):order_by(c.id)):tuples() do out[#out + 1] = id .. "=" .. n end
    return table.concat(out, " ")
  end

  it("find their conflict by a key, a constraint or an index", function()
    local function upsert(values, constraint)
      local ins = ag.insert(stock):values(values)
      conn:execute(ins:on_conflict_do_update{constraint = constraint, set = {n = c.n + ins.excluded.n}})
    end
    upsert({id = 1, n = 10}, stock.primary_key)
    assert.equal("1=11 2=1", rows())
    if db.postgresql then
      local unique
      for _, k in ipairs(stock.constraints) do unique = k.name == "uq_sku" and k or unique end
      upsert({id = 9, sku = "b", n = 5}, unique)
      assert.equal("1=11 2=6", rows())
      upsert({id = 9, shop = 2, n = 5}, stock.indexes[1])
      assert.equal("1=11 2=11", rows())
    end
    local ok, e = pcall(function() return ag.insert(stock):on_conflict_do_nothing{constraint = stock} end)
    assert.is_false(ok)
    assert.matches("expected the name of a constraint, a constraint or an Index, got a Table", e.message)
  end)

  it("have several clauses on SQLite, one on PostgreSQL", function()
    local ins = sq.insert(stock):values{id = 9, sku = "b", n = 7}:on_conflict_do_nothing{index_elements = {"id"}}
      :on_conflict_do_update{index_elements = {"sku"}, set = {n = 7}}
    assert.equal("INSERT INTO stock (id, sku, n) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING ON CONFLICT (sku) DO UPDATE SET n = ? [9, b, 7, 7]",
      sql(ins, "sqlite"))
    local ok, e = pcall(sql, ins, "postgresql")
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.CompileError))
    if db.sqlite then
      conn:execute(ins)
      assert.equal("1=1 2=7", rows())
    end
    ok, e = pcall(function() return ag.insert(stock):on_conflict_do_nothing():on_conflict_do_nothing() end)
    assert.is_false(ok)
    assert.matches("must be the last one", e.message)
  end)

  it("say what a database lacks", function()
    local ok, e = pcall(sql, ag.insert(stock):values{id = 1}:on_conflict_do_update{set = {n = 1}}, "postgresql")
    assert.is_false(ok)
    assert.matches("needs index_elements or constraint", e.message)
    ok, e = pcall(sql, ag.insert(stock):values{id = 1}:on_conflict_do_nothing{constraint = "uq_sku"}, "sqlite")
    assert.is_false(ok)
    assert.matches("name the columns in index_elements", e.message)
  end)

  it("set an element of a JSONB column", function()
    local arr = t.arr.c
    assert.equal("UPDATE arr SET doc[$1]=$2::JSONB", (sql(ag.update(t.arr):values{[arr.doc:at("a")] = {1, 2}}, "postgresql"):gsub(" %[.*", "")))
    local set = ag.update(stock):where(c.id:eq(1)):values{[c.doc:at("a")] = {1, 2}}
    if db.postgresql then
      conn:execute(ag.update(stock):values{doc = {a = 1, b = {c = 2}}})
      conn:execute(set)
      conn:execute(ag.update(stock):where(c.id:eq(1)):values{[c.doc:at("b"):at("c")] = 3})
      local doc = conn:scalar(ag.select(c.doc):where(c.id:eq(1)))
      assert.same({{1, 2}, 3}, {{doc.a[1], doc.a[2]}, doc.b.c})
    end
  end)
end)

describe("conveniences", function()
  it("pg.distinct_on is an extension of a SELECT", function()
    assert.equal("SELECT DISTINCT ON (users.name, users.age) users.id FROM users []",
      sql(ag.select(u.id):ext(pg.distinct_on(u.name, u.age)), "postgresql"))
    assert.is_false((pcall(pg.distinct_on)))
    local ok, e = pcall(sql, ag.select(u.id):ext(pg.distinct_on(u.name)), "sqlite")
    assert.is_false(ok)
    assert.matches("sqlite dialect has no DISTINCT ON", tostring(e))
  end)

  it("a name in the ORDER BY of a window stands for itself outside of a SELECT", function()
    local alone = ag.func.row_number():over{order_by = "my col"}:compile{dialect = "sqlite"}
    assert.equal('row_number() OVER (ORDER BY "my col")', alone.string)
    assert.equal("row_number() OVER (ORDER BY x)", tostring(ag.func.row_number():over{order_by = "x"}))
    assert.is_false((pcall(sql, ag.select(ag.func.row_number():over{order_by = "x"}), "sqlite")))
  end)

  it("hints name what is nearest, in every run the same", function()
    local function message(f) return tostring(select(2, pcall(f))) end
    assert.matches("did you mean \"name\"", message(function() return ag.select(users):filter_by{nmae = 1} end))
    assert.matches("did you mean 'desc'", message(function() return u.id:dsc() end))
    assert.matches("did you mean 'title'", message(function() return sql(ag.select(u.name:label "title"):order_by "titel", "sqlite") end))
    assert.matches("there is no dialect 'sqlight'", message(function() return ag.dialects.register("toy_of_none", {base = "sqlight"}) end))
  end)
end)

describe("types", function()
  it("say how they are written, for a dialect", function()
    assert.same({"VARCHAR(5)", "INTEGER[]", "JSONB", "TIMESTAMP WITHOUT TIME ZONE", "DATETIME", "VARCHAR"},
      {ag.String(5):compile(), pg.ARRAY(ag.Integer):compile "postgresql",
        ag.JSON:with_variant(pg.JSONB, "postgresql"):compile{dialect = "postgresql"},
        ag.DateTime:compile "postgresql", ag.DateTime:compile "sqlite", ag.String:compile(ag.create_engine("sqlite://").dialect)})
    assert.is_false((pcall(ag.String.compile, ag.String, "nonsense")))
  end)

  it("and operators are named in errors as they are written", function()
    local function message(f) return tostring(select(2, pcall(f))) end
    assert.matches("ArgumentError: String: unknown option 'lenght'", message(function() return ag.String{lenght = 5} end))
    assert.matches("argument #1 to operator %.%.: ", message(function() return u.name .. nil end))
    assert.matches(
      "InvalidRequestError: this FROM element has no column 'zz' %(it has: id%)", message(function() return ag.select(u.id):subquery().c.zz end))
  end)
end)

describe("names of the values of a statement", function()
  local function named(stmt)
    local c = stmt:compile{dialect = "sqlite"}
    local names = {}
    for name, value in pairs(c.params) do names[#names + 1] = name .. "=" .. tostring(value) end
    table.sort(names)
    return table.concat(names, " ")
  end

  it("are those of the columns", function()
    assert.equal("INSERT INTO users (name, age) VALUES (:name, :age)", (tostring(ag.insert(users):values{name = "a", age = 1}):gsub("%s+", " ")))
    assert.equal("age=2 age_1=1 age_2=3", named(ag.update(users):values{age = 2}:where(u.age:eq(1), u.age:ne(3))))
    assert.equal("age=1 age_1=5", named(ag.insert(users):values{age = 1}:returning(u.age + 5)))
  end)

  it("carry the row in several rows", function()
    assert.equal("age_m0=1 age_m1=2 name_m0=a name_m1=b", named(ag.insert(users):values{{name = "a", age = 1}, {name = "b", age = 2}}))
  end)

  it("are numbered in a CTE and in ON CONFLICT", function()
    local cte = ag.insert(users):values{age = 7}:returning(u.id):cte("made")
    assert.equal("age_1=7 id_1=1", named(ag.select(cte.c.id):where(cte.c.id:eq(1))))
    local upsert = ag.sqlite.insert(users):values{id = 1, age = 7}:on_conflict_do_update{index_elements = {"id"}, set = {age = 8}}
    assert.matches("age=7 %S+=8 id=1", named(upsert))
  end)
end)

describe("fetch by percent", function()
  local things = ag.table("a", ag.column "id")

  it("is written for PostgreSQL's syntax, and refused for SQLite, which has none", function()
    local stmt = ag.select(things):order_by(things.c.id):fetch(10, {percent = true})
    assert.equal("SELECT a.id FROM a ORDER BY a.id FETCH FIRST :param_1 PERCENT ROWS ONLY", tostring(stmt))
    assert.equal("SELECT a.id FROM a ORDER BY a.id FETCH FIRST ($1) PERCENT ROWS WITH TIES",
      ag.select(things):order_by(things.c.id):fetch(10, {percent = true, with_ties = true}):compile{dialect = "postgresql"}.string)
    expect.raises("CompileError", "PERCENT", stmt.compile, stmt, {dialect = "sqlite"})
  end)
end)
