-- What the compiler writes, run on the database itself: lists, paths into JSON, set operations, CTEs, VALUES, upserts.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

local function rows(result)
  local out = {}
  for i, row in ipairs(result:all()) do out[i] = row[1] end
  return out
end

describe("compiled statements", function()
  local engine, conn, users, posts, u, p
  before_each(function()
    engine = db.engine()
    local m = ag.MetaData()
    users = ag.Table("cusers", m, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(20)), ag.Column("age", ag.Integer),
      ag.Column("data", ag.JSON), ag.Column("active", ag.Boolean),
    })
    posts = ag.Table("cposts", m, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("user_id", ag.ForeignKey("cusers.id")),
      ag.Column("title", ag.String(20)),
    })
    u, p = users.c, posts.c
    m:drop_all(engine)
    m:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(users), {
      {id = 1, name = "ann", age = 20, data = {tags = {"a", {k = "deep"}}}, active = true},
      {id = 2, name = "bob", age = 30, data = {tags = {}}, active = false},
      {id = 3, name = "eve", age = 40, data = {}, active = true},
    })
    conn:execute(ag.insert(posts), {{id = 1, user_id = 1, title = "x"}, {id = 2, user_id = 1, title = "y"}, {id = 3, user_id = 2, title = "z"}})
  end)
  after_each(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  it("expand lists given with the statement or with the call", function()
    local function ids(condition, params) return rows(conn:execute(ag.select(u.id):where(condition):order_by(u.id), params)) end
    assert.same({1, 3}, ids(u.id:in_{1, 3, 9}))
    assert.same({}, ids(u.id:in_{}))
    assert.same({1, 2, 3}, ids(u.id:not_in{}))
    local given = u.id:in_(ag.bindparam("ids", {expanding = true}))
    assert.same({2, 3}, ids(given, {ids = {2, 3}}))
    assert.same({}, ids(given, {ids = {}}))
    assert.same({1}, ids(given & u.age:lt(25), {ids = {1, 2}}))
    assert.same({1, 2}, ids(ag.tuple_(u.id, u.name):in_{{1, "ann"}, {2, "bob"}, {3, "bob"}}))
  end)

  it("send more than 1,000 members as one array", function()
    local many, names = {}, {}
    for i = 2, 1500 do many[#many + 1], names[#names + 1] = i, "n" .. i end
    names[1] = "eve"
    assert.same({2, 3}, rows(conn:execute(ag.select(u.id):where(u.id:in_(many)):order_by(u.id))))
    assert.same({1}, rows(conn:execute(ag.select(u.id):where(u.id:not_in(many)))))
    assert.same({3}, rows(conn:execute(ag.select(u.id):where(u.name:in_(names)))))
  end)

  it("find their way into JSON", function()
    local d = u.data
    local function one(e) return conn:scalar(ag.select(e):where(u.id:eq(1))) end
    assert.equal("a", one(d:at("tags"):at(0):as_string()))
    assert.equal("deep", one(d:at{"tags", 1, "k"}:as_string()))
    assert.same({1}, rows(conn:execute(ag.select(u.id):where(d:at{"tags", 1, "k"}:as_string():eq("deep")))))
  end)

  it("nest set operations and limits", function()
    local last = ag.select(u.id):order_by(u.id:desc()):limit(1)
    local s = ag.union(last, ag.select(p.user_id)):subquery()
    assert.same({1, 2, 3}, rows(conn:execute(ag.select(s.c.id):order_by(s.c.id))))
    local e = ag.except_(ag.select(u.id), ag.union(ag.select(p.user_id), ag.select(u.id):where(u.age:gt(100))))
    assert.same({3}, rows(conn:execute(e)))
  end)

  it("walk recursive CTEs and use one twice", function()
    local c = ag.select(ag.literal(1):label("n")):cte("r", {recursive = true})
    c = c:union_all(ag.select(c.c.n + 1):where(c.c.n:lt(5)))
    assert.same({1, 2, 3, 4, 5}, rows(conn:execute(ag.select(c.c.n):order_by(c.c.n))))
    local old = ag.select(u.id, u.age):where(u.age:gt(25)):cte("old")
    local other = old:alias("other")
    assert.same({2}, rows(conn:execute(ag.select(old.c.id):where(old.c.age:lt(other.c.age)))))
  end)

  it("read VALUES as a table", function()
    local v = ag.values(ag.column("a", ag.Integer), ag.column("b", ag.String), {name = "v"}):data{{1, "x"}, {2, "y"}}
    assert.same({"ann", "bob"}, rows(conn:execute(ag.select(u.name):join(v, v.c.a:eq(u.id)):order_by(v.c.b))))
  end)

  it("group by an expression with values in it", function()
    local decade = (u.age + 5) // 10
    assert.same({2, 3, 4}, rows(conn:execute(ag.select(decade, ag.func.count()):group_by(decade):order_by(decade))))
  end)

  it("delete and update by way of other tables", function()
    conn:execute(ag.update(users):values{name = p.title}:where(u.id:eq(p.user_id)):where(p.title:eq("z")))
    assert.equal("z", conn:scalar(ag.select(u.name):where(u.id:eq(2))))
    local lone = ag.delete(posts):where(p.user_id:eq(u.id)):where(u.name:eq("ann"))
    assert.equal(2, conn:execute(lone).rowcount)
  end)

  it("insert or update", function()
    local ins = ag.insert(users):values{id = 3, name = "new", age = 1}
    conn:execute(ins:on_conflict_do_update{index_elements = {u.id}, set = {name = ins.excluded.name, age = u.age + ins.excluded.age}})
    local row = conn:execute(ag.select(u.name, u.age):where(u.id:eq(3))):one()
    assert.same({"new", 41}, {row[1], row[2]})
    assert.equal(0, conn:execute(ins:on_conflict_do_nothing()).rowcount)
  end)

  it("fill rows of multi-values from defaults", function()
    local got = conn:execute(ag.insert(users):values{{id = 10, name = "x"}, {id = 11, name = "y"}}:returning(u.id, u.name)):all()
    assert.same({10, 11}, {got[1].id, got[2].id})
  end)

  it("say what text they wrote", function()
    local s = ag.select(u.id):where(u.name:eq("it's"), u.age:gt(-1))
    assert.equal("SELECT cusers.id FROM cusers WHERE cusers.name = 'it''s' AND cusers.age > (-1)",
      s:compile{dialect = db.dialect, literal_binds = true}.string)
  end)
end)

-- Where SQLAlchemy's brackets give another meaning: PostgreSQL's ~ binds less tightly than + and *, NOT less than a comparison.
describe("brackets", function()
  local t = ag.table("t", ag.column("i", ag.Integer), ag.column("p", ag.Boolean), ag.column("q", ag.Boolean))
  local i, p, q = t.c.i, t.c.p, t.c.q
  local function both(e)
    return e:compile{dialect = "sqlite"}.string, e:compile{dialect = "postgresql"}.string
  end
  it("stand around what binds less tightly on the database", function()
    for _, case in ipairs{
      {i:bitwise_not() - i, "~t.i - t.i", "(~t.i) - t.i"}, {i - i:bitwise_not() * 2, "t.i - (~t.i) * ?", "t.i - (~t.i) * $1"},
      {i:bitwise_and(i:bitwise_not()), "t.i & ~t.i", "t.i & ~t.i"}, {-(i:bitwise_not()), "-(~t.i)", "-(~t.i)"},
      {(~p):is_not(nil), "(t.p = 0) IS NOT NULL", "(NOT t.p) IS NOT NULL"}, {q:eq(~p), "t.q = (t.p = 0)", "t.q = (NOT t.p)"},
      {(~p) & q, "t.p = 0 AND t.q = 1", "NOT t.p AND t.q"}, {ag.case({p, ~q}), "CASE WHEN t.p THEN t.q = 0 END",
        "CASE WHEN t.p THEN NOT t.q END"},
    } do
      local sqlite, postgresql = both(case[1])
      assert.equal(case[2], sqlite)
      assert.equal(case[3], postgresql)
    end
  end)
end)

describe("tostring", function()
  it("shows what only PostgreSQL has words for as PostgreSQL writes it", function()
    local t = ag.table("t", ag.column("s", ag.Text))
    assert.equal("ARRAY[:param_1, :param_2]", tostring(ag.postgresql.array{1, 2}))
    assert.equal("t.s ~ :s_1", tostring(t.c.s:regexp_match("^a")))
    assert.equal("t.s @@ plainto_tsquery(:s_1)", tostring(t.c.s:match("a")))
    expect.raises("UnsupportedCompilationError", "operator match", function() t.c.s:match("a"):compile() end)
  end)
end)

describe("statements looked at again", function()
  local m = ag.MetaData()
  local users = ag.Table("users", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("age", ag.Integer)})
  local posts = ag.Table("posts", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("author_id", ag.ForeignKey("users.id")),
    ag.Column("title", ag.Text)})
  local function sql(stmt) return stmt:compile{dialect = "sqlite"}.string end

  it("filter_by finds columns of joined tables, and writes them in the order of tables and columns", function()
    assert.equal("SELECT users.id FROM users JOIN posts ON users.id = posts.author_id "
      .. "WHERE users.name = ? AND users.age IS NULL AND posts.title = ?",
      sql(ag.select(users.c.id):join(posts):filter_by{title = "t", age = ag.null, name = "n"}))
    assert.equal("SELECT posts.id FROM posts WHERE posts.id = ?", sql(ag.select(posts.c.id):filter_by{id = 3}))
    expect.raises("AmbiguousColumnError", "users", function() ag.select(users):join(posts):filter_by{id = 3} end)
    expect.raises("InvalidRequestError", {"titel", "users, posts"}, function() ag.select(users, posts):filter_by{titel = 3} end)
  end)
  it("nil takes LIMIT, OFFSET and FETCH back; slices add up", function()
    assert.equal("SELECT users.id FROM users", sql(ag.select(users.c.id):limit(5):offset(2):limit(nil):offset(nil)))
    assert.equal("SELECT users.id FROM users", sql(ag.select(users.c.id):fetch(5):fetch(nil)))
    assert.same({1, 3}, ag.select(users.c.id):slice(2, 5):slice(1, 2):compile{dialect = "sqlite"}.positional)
  end)
  it("with_only_columns keeps the FROMs where asked, joins once", function()
    assert.equal("SELECT count(*) AS count_1 FROM posts JOIN users ON users.id = posts.author_id",
      sql(ag.select(posts.c.id):join(users):with_only_columns(ag.func.count(), {maintain_column_froms = true})))
  end)
  it("bindparam takes value and type by position, too", function()
    local c = users.c
    assert.same({4, 5}, ag.select(c.id):where(c.id:eq(ag.bindparam("a", 4)), c.age:eq(ag.bindparam("b", 5, ag.Integer, {unique = true})))
      :compile{dialect = "sqlite"}.positional)
    assert.equal("SELECT users.id FROM users WHERE users.name = :param_1 AND users.name = :param_2",
      tostring(ag.select(c.id):where(c.name:eq(ag.bindparam(nil, "x")), c.name:eq(ag.bindparam(ag.null, "y")))))
    expect.raises("ArgumentError", "#3", ag.bindparam, "a", 4, 5)
    expect.raises("ArgumentError", "did you mean 'value'", ag.bindparam, "a", {vale = 4})
  end)
  it("shows what is finished when it is executed", function()
    local c = users.c
    assert.equal("SELECT users.id FROM users WHERE users.id IN (__[POSTCOMPILE_ids]) AND users.age = __[POSTCOMPILE_q]",
      sql(ag.select(c.id):where(c.id:in_(ag.bindparam("ids", {expanding = true})), c.age:eq(ag.bindparam("q", {literal_execute = true})))))
  end)
  it("a list beside a tuple is a row", function()
    local t = ag.tuple_(users.c.id, users.c.name)
    local compiled = ag.select(users.c.id):where(t:eq{1, "x"}, t:lt{2, users.c.name}):compile{dialect = "sqlite"}
    assert.equal("SELECT users.id FROM users WHERE (users.id, users.name) = (?, ?) AND (users.id, users.name) < (?, users.name)", compiled.string)
    assert.same({1, "x", 2}, compiled.positional)
    expect.raises("ArgumentError", {"#1", "2 values"}, t.eq, t, {1})
  end)
  it("refuses LATERAL VALUES on SQLite; a sample of an alias has one name", function()
    local v = ag.values({ag.column("a", ag.Integer)}, {name = "v"}):data{{1}}:lateral("l")
    expect.raises("UnsupportedCompilationError", "LATERAL", sql, ag.select(users.c.id, v.c.a))
    local sample = ag.tablesample(users:alias("al"), 5, {name = "ts"})
    assert.equal("SELECT ts.id FROM users AS ts TABLESAMPLE system($1)", ag.select(sample.c.id):compile{dialect = "postgresql"}.string)
  end)
  it("raw SQL with columns is a scalar, a label, an EXISTS", function()
    local raw = ag.text("select 1 as x"):columns(ag.column("x", ag.Integer))
    assert.equal("SELECT users.id, (select 1 as x) AS n FROM users WHERE users.id = (select 1 as x) AND (EXISTS (select 1 as x))",
      sql(ag.select(users.c.id, raw:label("n")):where(users.c.id:eq(raw:scalar_subquery()), raw:exists())))
  end)
  it("a column of CREATE TABLE can be written alone, and otherwise", function()
    local t = ag.Table("made", ag.MetaData(), {ag.Column("n", ag.Integer, ag.CheckConstraint("n > 1", {name = "more"}), {nullable = false})})
    assert.equal("n INTEGER NOT NULL CONSTRAINT more CHECK (n > 1)", ag.CreateColumn(t.c.n):compile{dialect = "sqlite"}.string)
    assert.equal(t.c.n, ag.CreateColumn(t.c.n).element)
    ag.compiles(ag.CreateColumn, "sqlite", function(el, compiler) return {"/* ours */ ", compiler:default(el)} end)
    local written = ag.CreateTable(t):compile{dialect = "sqlite"}.string
    ag.deregister(ag.CreateColumn)
    assert.matches("/* ours */ n INTEGER NOT NULL", written, 1, true)
    assert.has_error(function() ag.CreateColumn(ag.Column("x", ag.Integer)) end)
  end)
  it("FOR UPDATE of a set operation is refused", function()
    local both = ag.union(ag.select(users.c.id), ag.select(users.c.id)):with_for_update()
    for _, dialect in ipairs{"sqlite", "postgresql"} do
      local _, e = ag.try(both.compile, both, {dialect = dialect})
      assert.is_true(e:is(ag.exc.CompileError))
      assert.matches("not allowed in a set operation", e.message, 1, true)
    end
    local one = ag.union(ag.select(users.c.id):with_for_update(), ag.select(users.c.id))
    local _, e = ag.try(one.compile, one, {dialect = "postgresql"})
    assert.matches("not allowed in a set operation", e.message, 1, true)
    assert.equal("SELECT users.id FROM users UNION SELECT users.id FROM users", sql(one))
  end)
  it("raw SQL stands in FROM", function()
    assert.equal("SELECT * FROM users u, posts WHERE u.id = 3",
      sql(ag.select(ag.text "*"):select_from(ag.text "users u", posts):where(ag.text "u.id = 3")))
  end)
end)

describe("names and brackets found by random comparison", function()
  local t = ag.table("t", ag.column("i", ag.Integer), ag.column("s", ag.Text))
  local function sql(stmt) return (tostring(stmt):gsub("%s+", " ")) end

  it("an alias of a CTE is made up like any other", function()
    local cte = ag.select(t.c.i):cte("sub")
    assert.equal("WITH sub AS (SELECT t.i AS i FROM t) SELECT anon_1.i FROM sub AS anon_1", sql(ag.select(cte:alias().c.i)))
  end)
  it("contains joins the operands of || without brackets", function()
    assert.equal("t.s LIKE '%' || t.s || :s_1 || '%'", sql(t.c.s:contains(t.c.s .. "x")))
    assert.equal("t.s LIKE t.s || :s_1 || '%'", sql(t.c.s:startswith(t.c.s .. "x")))
    assert.equal("lower(t.s) LIKE '%' || lower((t.s || :s_1))", sql(t.c.s:iendswith(t.c.s .. "x")))
  end)
  it("a name in ORDER BY and GROUP BY is the selected column's, where other FROMs have one, too", function()
    local a, b = ag.table("a", ag.column "id", ag.column "x"), ag.table("b", ag.column "id", ag.column "y")
    assert.equal("SELECT a.id, b.y FROM a, b GROUP BY a.id", sql(ag.select(a.c.id, b.c.y):group_by("id")))
    assert.equal("SELECT b.id, a.x FROM b, a ORDER BY b.id DESC", sql(ag.select(b.c.id, a.c.x):order_by(ag.desc "id")))
    assert.equal("SELECT a.x, b.y FROM a, b ORDER BY b.id", sql(ag.select(a.c.x, b.c.y):order_by("id")))
  end)
  it("VALUES without a name gets one, so that its columns are found", function()
    local v = ag.values(ag.column("a", ag.Integer), ag.column("b", ag.Text)):data{{1, "x"}, {2, "y"}}
    local engine = db.engine()
    local conn <close> = engine:connect()
    assert.equal("y", conn:scalar(ag.select(v.c.b):where(v.c.a:gt(1))))
    conn:close()
    db.cleanup()
  end)
  it("set operations whose members have limits of their own run on every database", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local function numbers(...)
      return ag.select(ag.values(ag.column("n", ag.Integer), {name = "v"}):data({...}).c.n)
    end
    local a, b = numbers({1}, {2}, {3}):order_by("n"):limit(2), numbers({3}, {4}, {5}):order_by(ag.desc "n"):limit(1)
    assert.same({1, 2, 5}, conn:scalars(a:union_all(b):order_by("n")):all())
    assert.same({1, 2}, conn:scalars(ag.except_(ag.union(a, b), b):order_by("n")):all())
    assert.same({5}, conn:scalars(ag.intersect(b, ag.union(a, b)):order_by("n")):all())
    conn:close()
    db.cleanup()
  end)
end)
