--- Executing expressions and reading their results through the engine's handles; what every database must do alike.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("execute", function()
  local engine, conn, users, posts
  before_each(function()
    engine = db.engine()
    local metadata = ag.MetaData()
    users = ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("name", ag.String(40), {nullable = false}),
      ag.Column("age", ag.Integer, {default = 18}),
    })
    posts = ag.Table("posts", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")),
      ag.Column("title", ag.Text),
    })
    metadata:create_all(engine)
    conn = engine:connect()
  end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  it("text takes its parameters by name", function()
    local row = conn:execute(ag.text "SELECT CAST(:a AS INTEGER) AS a, CAST(:b AS TEXT) AS b", {a = 1, b = "x"}):one()
    assert.equal(1, row.a)
    assert.equal("x", row.b)
    expect.raises("StatementError", "'b'", conn.execute, conn, ag.text "SELECT :a, :b", {a = 1})
  end)

  it("text refuses parameters that it does not name, wherever they are given", function()
    local text = ag.text "SELECT CAST(:alpha AS INTEGER)"
    expect.raises("StatementError", {"no parameter 'alpa'", "did you mean 'alpha'?"}, conn.scalar, conn, text, {alpha = 1, alpa = 2})
    expect.raises("StatementError", "no parameter 'x'", conn.execute, conn, ag.text "SELECT 1", {x = 1})
    expect.raises("StatementError", "no parameter 'x'", conn.execute, conn, text, {{alpha = 1}, {alpha = 1, x = 2}})
    expect.raises("StatementError", "no parameter 'y'", conn.execute, conn, text:columns(ag.column("a", ag.Integer)), {alpha = 1, y = 2})
    expect.raises("ArgumentError", {"parameter named 'alpa'", "alpha"}, text.bindparams, text, {alpa = 1})
    assert.equal(1, conn:scalar(text:bindparams{alpha = 1}))
    assert.equal(2, conn:scalar(text:bindparams{alpha = 1}, {alpha = 2}))
  end)

  it("a list of rows is inserted with defaults for what is missing", function()
    local result = conn:execute(ag.insert(users), {{name = "ann"}, {name = "bob", age = 30}, {age = ag.null, name = "cid"}})
    assert.equal(3, result.rowcount)
    local rows = conn:execute(ag.select(users.c.name, users.c.age):order_by(users.c.id)):tuples():all()
    assert.same({{"ann", 18}, {"bob", 30}, {"cid", ag.null}}, rows)
  end)

  it("an inserted row's key comes back", function()
    local result = conn:execute(ag.insert(users):values{name = "ann"})
    assert.is_true(result.is_insert)
    assert.equal(1, result.inserted_primary_key.id)
    assert.equal(1, result.inserted_primary_key[1])
    result = conn:execute(ag.insert(users), {name = "bob"})
    assert.equal(2, result.inserted_primary_key.id)
    result = conn:execute(ag.insert(users), {{name = "cid"}, {name = "dan"}})
    expect.raises("InvalidRequestError", "inserted_primary_key_rows", function() return result.inserted_primary_key end)
    assert.equal(2, #result.inserted_primary_key_rows)
  end)

  it("an empty list raises, {{}} is one row of defaults", function()
    expect.raises("ArgumentError", "empty list", conn.execute, conn, ag.insert(users), {})
    conn:execute(ag.insert(posts), {{}})
    assert.equal(1, conn:scalar(ag.select(ag.func.count()):select_from(posts)))
  end)

  it("rows are asked by column objects", function()
    conn:execute(ag.insert(users):values{name = "ann"})
    conn:execute(ag.insert(posts):values{user_id = 1, title = "t"})
    local u, p = users.c, posts.c
    local row = conn:execute(ag.select(users, posts):join(posts, u.id:eq(p.user_id))):one()
    assert.equal("ann", row[u.name])
    assert.equal(1, row[p.user_id])
    assert.equal("t", row.title)
    assert.same({"t"}, conn:execute(ag.select(posts)):scalars(p.title):all())
    local label = (u.age + 1):label("next")
    row = conn:execute(ag.select(u.id, label)):one()
    assert.equal(19, row[label])
    expect.raises("NoSuchColumnError", nil, function() return row[p.title] end)
    expect.raises("NoSuchColumnError", nil, function() return row[u.age + 2] end)
  end)

  it("scalar and scalars are short for their results", function()
    conn:execute(ag.insert(users), {{name = "ann"}, {name = "bob"}})
    assert.equal(2, conn:scalar(ag.select(ag.func.count()):select_from(users)))
    assert.same({"ann", "bob"}, conn:scalars(ag.select(users.c.name):order_by(users.c.id)):all())
    assert.is_nil(conn:scalar(ag.select(users.c.id):where(users.c.name:eq("zoe"))))
  end)

  it("returning gives rows", function()
    local row = conn:execute(ag.insert(users):values{name = "ann"}:returning(users.c.id, users.c.age)):one()
    assert.equal(1, row.id)
    assert.equal(18, row.age)
    assert.equal(1, conn:execute(ag.delete(users):where(users.c.id:eq(1)):returning(users.c.id)):scalar())
  end)

  it("update and delete count rows", function()
    conn:execute(ag.insert(users), {{name = "ann"}, {name = "bob"}})
    assert.equal(2, conn:execute(ag.update(users):values{age = 5}).rowcount)
    assert.equal(1, conn:execute(ag.delete(users):where(users.c.name:eq("bob"))).rowcount)
    assert.equal(0, conn:execute(ag.delete(users):where(users.c.name:eq("bob"))).rowcount)
  end)

  it("statements carry execution options of their own", function()
    conn:execute(ag.insert(users), {{name = "ann"}, {name = "bob"}})
    local stmt = ag.select(users.c.name):order_by(users.c.id):execution_options{yield_per = 1}
    local names = {}
    for row in conn:execute(stmt):rows() do names[#names + 1] = row.name end
    assert.same({"ann", "bob"}, names)
    local slow = ag.text(db.slow):execution_options{timeout = 0.05}
    expect.raises("OperationalError", nil, conn.execute, conn, slow)
  end)

  it("is shown to before_execute and after_execute, which may replace it", function()
    local seen
    ag.event.listen(engine, "before_execute", function(_, statement, multiparams, params)
      seen = {statement, multiparams, params}
      return ag.text "SELECT 42", {}, {}
    end, {retval = true})
    local stmt = ag.text "SELECT CAST(:a AS INTEGER)"
    assert.equal(42, conn:scalar(stmt, {a = 1}))
    assert.equal(stmt, seen[1])
    assert.same({}, seen[2])
    assert.same({a = 1}, seen[3])
  end)

  it("a column's default function is called for each row, and may query", function()
    local metadata = ag.MetaData()
    local n = 0
    local counted = ag.Table("counted", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("v", ag.Integer, {default = function(ctx)
        n = n + 1
        return n + (ctx.current_parameters.id or 0) + ctx.connection:exec_driver_sql("SELECT 100"):scalar()
      end}),
    })
    metadata:create_all(conn)
    conn:execute(ag.insert(counted), {{id = 10}, {id = 20}})
    assert.same({111, 122}, conn:scalars(ag.select(counted.c.v):order_by(counted.c.id)):all())
  end)

  it("an error in a default function is raised as it is", function()
    local problem = {}
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("v", ag.Integer, {default = function() error(problem) end})})
    t:create(conn)
    local ok, e = pcall(conn.execute, conn, ag.insert(t), {id = 1})
    assert.is_false(ok)
    assert.equal(problem, e)
  end)
end)

describe("types", function()
  local conn
  before_each(function() conn = db.engine():connect() end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  local made = 0

  --- A table with one column of the type, the values written and what is read.
  local function round_trip(type, ...)
    made = made + 1 -- PostgreSQL refuses a cached plan whose columns changed type
    local t = ag.Table("t" .. made, ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", type)})
    t:create(conn)
    local values = table.pack(...)
    local out = {}
    for i = 1, values.n do conn:execute(ag.insert(t), {id = i, v = values[i]}) end
    for i, row in ipairs(conn:execute(ag.select(t.c.v):order_by(t.c.id)):all()) do out[i] = row.v end
    conn:rollback()
    return out
  end

  it("round-trip their values exactly", function()
    assert.same({1, -5}, round_trip(ag.Integer, 1, -5))
    assert.same({math.maxinteger, math.mininteger}, round_trip(ag.BigInteger, math.maxinteger, math.mininteger))
    assert.same({true, false}, round_trip(ag.Boolean, true, false))
    assert.same({0.1, -1e300, 5}, round_trip(ag.Float, 0.1, -1e300, 5))
    assert.same({"", "é\u{1F600}'\"\\"}, round_trip(ag.Text, "", "é\u{1F600}'\"\\"))
    assert.same({"a\0b\xff"}, round_trip(ag.LargeBinary, "a\0b\xff"))
    assert.same({"red"}, round_trip(ag.Enum({"red", "green"}, {name = "color"}), "red"))
  end)

  it("give values of their own for decimals, dates and times", function()
    local got = round_trip(ag.Numeric(20, 5), ag.decimal("12345678.12345"), 7)
    assert.is_true(got[1] == ag.decimal("12345678.12345"))
    assert.is_true(got[2] == ag.decimal(7))
    assert.is_true(round_trip(ag.Date, ag.date("2024-02-29"))[1] == ag.date("2024-02-29"))
    assert.is_true(round_trip(ag.Time, ag.time("23:59:59.000001"))[1] == ag.time("23:59:59.000001"))
    local at = ag.datetime("2024-02-29 10:20:30.123456")
    assert.is_true(round_trip(ag.DateTime, at)[1] == at)
    local day = ag.interval{days = 1, hours = 2}
    assert.equal(day:total_seconds(), round_trip(ag.Interval, day)[1]:total_seconds())
  end)

  it("refuse values of another kind", function()
    local function fails(type, value)
      expect.raises("Error", "v", round_trip, type, value)
      conn:rollback()
    end
    fails(ag.Integer, "5")
    fails(ag.Integer, 1.5)
    fails(ag.Numeric(10, 2), 1.5)
    fails(ag.Text, 5)
    fails(ag.Date, "2024-01-05")
    fails(ag.Boolean, 1)
    fails(ag.Integer, {})
  end)

  it("keep JSON's tables, with null, empty arrays and one table per row", function()
    local doc = {a = {1, 2, {b = ag.null}}, e = ag.json_array{}, n = 2 ^ 53 | 0, s = "é"}
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", ag.JSON)})
    t:create(conn)
    conn:execute(ag.insert(t), {{id = 1, v = doc}, {id = 2, v = ag.null}, {id = 3, v = {1, 2}}, {id = 4, v = "text"}})
    local rows = conn:execute(ag.select(t):order_by(t.c.id)):all()
    assert.same(doc.a, rows[1].v.a)
    assert.equal(doc.n, rows[1].v.n)
    assert.equal("[]", require("argent.json").encode(rows[1].v.e))
    assert.equal(rows[1].v, rows[1].v)
    assert.equal(2, rows[3].v[2])
    assert.equal("text", rows[4].v)
    expect.raises("DataError", "holes", conn.execute, conn, ag.insert(t), {id = 5, v = {1, nil, 3}})
  end)

  it("use the engine's own JSON functions", function()
    local engine = db.engine{json_serializer = function() return '{"mine":1}' end, json_deserializer = function(text) return {text} end}
    local c <close> = engine:connect()
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", ag.JSON)})
    t:create(c)
    c:execute(ag.insert(t), {id = 1, v = {x = 2}})
    local v = c:scalar(ag.select(t.c.v))
    assert.equal('{"mine":1}', (v[1]:gsub("%s", "")))
  end)

  it("may be decorated in both directions, NULL included", function()
    local Upper = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
      process_bind_param = function(_, v, dialect) return v and v:upper() .. "@" .. dialect.name or "none" end,
      process_result_value = function(_, v) return {v} end}
    local got = round_trip(Upper, "a", ag.null)
    assert.same({{"A@" .. db.dialect}, {"none"}}, got)
  end)

  it("decorators that raise or return nonsense fail the statement", function()
    local problem = {}
    local bad = ag.TypeDecorator{impl = ag.Text, cache_ok = true, process_bind_param = function() error(problem) end}
    local ok, e = pcall(round_trip, bad, "a")
    assert.is_false(ok)
    assert.equal(problem, e)
    conn:rollback()
    local odd = ag.TypeDecorator{impl = ag.Text, cache_ok = true, process_bind_param = function() return print end}
    expect.raises("ArgumentError", "function", round_trip, odd, "a")
  end)

  it("arrays", function()
    if not db.postgresql then pending("SQLite has no arrays") return end
    assert.same({{1, 2, ag.null}, {}}, round_trip(ag.ARRAY(ag.Integer), {1, 2, ag.null}, {}))
    assert.same({{{1, 2}, {3, 4}}}, round_trip(ag.ARRAY(ag.Integer, {dimensions = 2}), {{1, 2}, {3, 4}}))
    assert.same({{"a", "b,\"c"}}, round_trip(ag.ARRAY(ag.Text), {"a", "b,\"c"}))
    expect.raises("DataError", "length", round_trip, ag.ARRAY(ag.Integer, {dimensions = 2}), {{1, 2}, {3}})
    conn:rollback()
    expect.raises("Error", nil, round_trip, ag.ARRAY(ag.Integer), {"x"})
  end)
end)
