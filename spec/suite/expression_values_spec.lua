-- Values of expressions by execution: what a golden text does not show.
local ag = require "argent"
local db = require "spec.support.db"

describe("values of expressions", function()
  local engine, conn, t

  setup(function()
    engine = db.engine()
    conn = engine:connect()
    t = ag.Table("ev_people", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(20)), ag.Column("born", ag.Date),
    })
    t.metadata:create_all(conn)
    conn:execute(ag.insert(t), {
      {id = 1, name = "ann", born = ag.date "2001-02-03"}, {id = 2, name = "bob", born = ag.date "2004-05-06"}, {id = 3, name = "cy"},
    })
  end)
  teardown(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  local function ids(stmt, params)
    local list = {}
    for _, id in ipairs(conn:execute(stmt:order_by(t.c.id), params):scalars():all()) do list[#list + 1] = id end
    return list
  end

  it("rows for a bindparam beside a tuple", function()
    local stmt = ag.select(t.c.id):where(ag.tuple_(t.c.name, t.c.born):in_(ag.bindparam("rows", {expanding = true})))
    assert.same({1}, ids(stmt, {rows = {{"ann", ag.date "2001-02-03"}, {"bob", ag.date "2001-02-03"}}}))
    assert.same({1, 2}, ids(stmt, {rows = {{"ann", ag.date "2001-02-03"}, {"bob", ag.date "2004-05-06"}}}))
    assert.same({}, ids(stmt, {rows = {}}))
    local not_in = ag.select(t.c.id):where(ag.tuple_(t.c.id, t.c.name):not_in(ag.bindparam("rows", {expanding = true})))
    assert.same({2, 3}, ids(not_in, {rows = {{1, "ann"}}}))
    assert.same({1, 2, 3}, ids(not_in, {rows = {}}))
    for _, rows in ipairs{{{1}}, {5}, {{1, "a", 2}}} do
      local ok, e = pcall(ids, not_in, {rows = rows})
      assert.is_false(ok)
      assert.matches("'rows' beside a tuple takes a list of rows of 2 values", e.message)
    end
  end)

  it("lists of tuples with dates, and of expressions", function()
    local pair = ag.tuple_(t.c.id, t.c.born)
    assert.same({2}, ids(ag.select(t.c.id):where(pair:in_{{2, ag.date "2004-05-06"}, {1, ag.date "2004-05-06"}})))
    if db.postgresql then
      assert.same({1, 2}, ids(ag.select(t.c.id):where(pair:in_{ag.tuple_(t.c.id, t.c.born)})))
    end
  end)

  it("tables and CTEs in IN", function()
    local early = ag.select(t.c.id):where(t.c.born:lt(ag.date "2002-01-01")):cte("early")
    assert.same({1}, ids(ag.select(t.c.id):where(t.c.id:in_(early))))
    assert.same({2, 3}, ids(ag.select(t.c.id):where(t.c.id:not_in(early))))
  end)

  it("casts of values that are of another type", function()
    local function value(e) return conn:scalar(ag.select(e)) end
    assert.equal(5, value(ag.cast("5", ag.Integer)))
    assert.equal("5", value(ag.cast(5, ag.String)))
    assert.equal(1, value(ag.cast(true, ag.Integer)))
    assert.is_nil(value(ag.cast(ag.null, ag.Integer)))
    if db.postgresql then
      assert.equal(ag.date "2020-01-02", value(ag.cast("2020-01-02", ag.Date)))
      assert.equal(ag.interval{days = 1}, value(ag.cast("1 day", ag.Interval)))
      assert.same({1, 2}, value(ag.cast("{1,2}", ag.postgresql.ARRAY(ag.Integer))))
    end
  end)

  it("numbers, constants and a star as columns", function()
    assert.same({1, 25, true}, {ag.unpack(conn:execute(ag.select(1, 25, ag.literal(true))):one())})
    assert.equal(1, conn:scalar(ag.select(1)))
    assert.equal(-7, conn:scalar(ag.select(-7)))
    assert.is_nil(conn:scalar(ag.select(ag.null)))
    local row = conn:execute(ag.select("*"):select_from(t):where(t.c.id:eq(1))):one()
    assert.same({1, "ann"}, {row.id, row.name})
    row = conn:execute(ag.select{"*", 5}:select_from(t):where(t.c.id:eq(2))):one()
    assert.equal("bob", row.name)
    row = conn:execute(ag.select(ag.text("id, name"), t.c.born:label("day")):select_from(t):where(t.c.id:eq(1))):one()
    assert.same({1, "ann"}, {row.id, row.name})
    assert.is_not_nil(row.day)
    row = conn:execute(ag.select(ag.text("coalesce(name, 'x, *') AS n"), t.c.born):select_from(t):where(t.c.id:eq(1))):one()
    assert.equal(ag.date "2001-02-03", row.born)
    assert.equal(3, conn:scalar(ag.select(ag.func.count()):select_from(ag.select(1):select_from(t):subquery())))
    assert.is_true(conn:scalar(ag.select(ag.exists(ag.select(1):where(t.c.id:eq(3))))) ~= false)
    for _, odd in ipairs{"id", 0/0, math.huge, print} do
      local ok, e = pcall(ag.select, odd)
      assert.is_false(ok)
      assert.matches("bad argument #1 to ag.select: expected a column, an expression or a table", e.message)
    end
  end)

  it("values left of columns", function()
    local function value(e) return conn:scalar(ag.select(e):where(t.c.id:eq(1))) end
    assert.equal(ag.decimal "2.5", value(ag.type_coerce(ag.decimal "1.5" + t.c.id, ag.Numeric(10, 1))))
    assert.equal(ag.decimal "3.0", value(ag.type_coerce(ag.decimal "3.0" * t.c.id, ag.Numeric(10, 1))))
    if db.postgresql then
      assert.equal(ag.datetime "2001-02-04 00:00:00", value(ag.interval{days = 1} + t.c.born))
      assert.equal(2, value(ag.date "2001-02-05" - t.c.born))
    end
  end)

  describe("values without a type of their own are literals for PostgreSQL, as with psycopg2:", function()
    local f, pg = ag.func, ag.postgresql
    local function value(e) return conn:scalar(ag.select(e)) end

    it("texts among a function's arguments are what the function takes", function()
      if not db.postgresql then return pending("SQLite's functions take anything") end
      assert.equal(2, value(f.json_array_length("[1, 2]")))
      assert.equal("[2024-01-01,2024-02-01)", tostring(value(ag.type_coerce(f.daterange("2024-01-01", "2024-02-01"), pg.DATERANGE))))
      assert.equal("10.0.0.0/8", tostring(value(f.network("10.0.0.0/8"))))
      assert.equal("616263", value(f.encode("abc", "hex")))
      assert.same({{a = 1, b = "foo"}}, {ag.to_table(conn:execute(ag.select(f.json_to_recordset('[{"a": 1, "b": "foo"}]')
        :table_valued(ag.column("a", ag.Integer), ag.column("b", ag.String)):render_derived{name = "x", with_types = true})):one())})
      -- a type's name is a cast of the text; functions of any type, and their like, take a text
      assert.equal("[1,5)", tostring(value(ag.type_coerce(f.int4range("[1,5)"), pg.INT4RANGE))))
      assert.equal("ab", value(f.concat("a", "b")))
      assert.equal("text", value(f.pg_typeof("x")))
      assert.same({k = "v"}, value(ag.type_coerce(f.jsonb_build_object("k", "v"), pg.JSONB)))
      assert.same({"x"}, value(ag.type_coerce(f.array_agg("x"), pg.ARRAY(ag.Text))))
      assert.equal("a,b", value(f.string_agg("a,b", ",")))
      -- one whose type is named is of that type
      assert.equal("character varying", value(f.pg_typeof(ag.cast("x", ag.String))))
      local point = conn:begin_nested()
      assert.matches("json_array_length%(text%)", tostring(select(2, pcall(value, f.json_array_length(ag.literal("[1]", ag.Text))))))
      point:rollback()
    end)

    it("texts beside expressions of no known type are of the type beside them", function()
      if not db.postgresql then return pending("SQLite compares texts") end
      assert.is_true(conn:scalar(ag.select(f.date_trunc("month", t.c.born):eq("2001-02-01")):where(t.c.id:eq(1))))
      assert.is_true(conn:scalar(ag.select(ag.column("born"):ge("2001-01-01")):select_from(t):where(t.c.id:eq(1))))
      assert.is_true(conn:scalar(ag.select(f.age(t.c.born):gt("1 day")):where(t.c.id:eq(1))))
      assert.is_false(value(ag.literal("x"):is_(ag.null)))
      assert.is_true(value(ag.literal("x"):is_distinct_from(ag.null)))
      assert.equal("x", value(ag.literal("x")))
      assert.equal("xy", value(ag.literal("x") .. "y"))
    end)

    it("floats are exact numbers", function()
      if not db.postgresql then return pending("SQLite computes with floats") end
      assert.equal("11.110", tostring(value(ag.cast(ag.decimal "10.10", ag.Numeric(10, 2)) * 1.1)))
      assert.equal("1.57", tostring(value(f.round(1.567, 2))))
      assert.equal(1.5, value(ag.literal(1.5)))
      assert.equal(3.3, value(ag.literal(1.1) * 3))
      assert.equal("double precision", value(f.pg_typeof(ag.literal(1.5, ag.Double))))
    end)
  end)

  it("a literal of bits has no other characters", function()
    local pg = ag.postgresql
    local function text(v) return ag.select(ag.literal(v, pg.BIT(3))):compile{dialect = "postgresql", literal_binds = true}.string end
    assert.equal("SELECT B'101' AS anon_1", text("101"))
    for _, bad in ipairs{"1'0", "12", "\\"} do
      local ok, e = pcall(text, bad)
      assert.is_false(ok)
      assert.matches("BIT takes a string of 0 and 1, not '", e.message, 1, true)
    end
  end)

  it("of parameters of one name, the last that has a value gives it", function()
    local stmt = ag.select(ag.cast(ag.bindparam("p", 3), ag.Integer), ag.cast(ag.bindparam("p", 4), ag.Integer),
      ag.cast(ag.bindparam("q", {type = ag.Integer}), ag.Integer), ag.cast(ag.bindparam("q", 7), ag.Integer))
    assert.same({4, 4, 7, 7}, {ag.unpack(conn:execute(stmt):first())})
    assert.same({9, 9, 7, 7}, {ag.unpack(conn:execute(stmt, {p = 9}):first())})
  end)

  it("an expression of SQLite may give values of several kinds", function()
    if not db.sqlite then return pending("PostgreSQL's expressions have one type") end
    local function value(e) return conn:scalar(ag.select(e):where(t.c.id:eq(1))) end
    assert.equal("none", value(ag.func.coalesce(ag.func.nullif(t.c.id, 1), "none")))
    assert.equal("one", value(ag.case({t.c.id:gt(1), 5}, {else_ = "one"})))
    assert.equal(2.5, value(ag.func.coalesce(ag.func.nullif(t.c.id, 1), 2.5)))
  end)

  it("a range and a search as text", function()
    if not db.postgresql then return pending("PostgreSQL's types") end
    local pg = ag.postgresql
    local function value(e) return conn:scalar(ag.select(e)) end
    assert.is_true(value(ag.cast("[1,5)", pg.INT4RANGE):contains("[2,3)")))
    assert.is_true(value(ag.func.to_tsvector("english", "a cat"):match("cats", {postgresql_regconfig = "english"})))
    assert.is_true(value(pg.array{"a", "b"}:contains{"a"}))
  end)
end)
