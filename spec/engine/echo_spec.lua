-- The exact lines of echo, with times as T.
local ag = require "argent"
local db = require "spec.support.db"

describe("echo lines", function()
  local lines, before
  before_each(function()
    lines = {}
    before = ag.log.set_handler(function(_, level, text)
      lines[#lines + 1] = level .. " " .. text:gsub("%d+%.%d%d%d%d%ds", "Ts")
    end)
  end)
  after_each(function()
    ag.log.set_handler(before)
    db.cleanup()
  end)

  local function taken()
    local list = lines
    lines = {}
    return list
  end

  local function setup(options)
    local engine = db.engine()
    local t = ag.Table("logged", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true, autoincrement = false}),
      ag.Column("name", ag.Text)})
    t.metadata:create_all(engine)
    if options then
      engine.echo = options.echo
      taken()
    end
    return engine, t
  end

  local begin_write = db.postgresql and "BEGIN (implicit)" or "BEGIN IMMEDIATE (implicit)"
  local p1, p2 = db.param(1), db.param(2)

  it("has the statement, then badge and parameters; BEGIN first, COMMIT last", function()
    local engine, t = setup{echo = true}
    engine:begin(function(conn) conn:execute(ag.insert(t):values{id = 1, name = "it's"}) end)
    assert.same({
      "INFO " .. begin_write,
      ("INFO INSERT INTO logged (id, name) VALUES (%s, %s)"):format(p1, p2),
      "INFO [generated in Ts] (1, 'it''s')",
      "INFO COMMIT",
    }, taken())
  end)

  it("tells a savepoint before what runs in it", function()
    local engine, t = setup{echo = true}
    engine:begin(function(conn)
      conn:begin_nested(function() conn:execute(ag.insert(t):values{id = 1, name = "a"}) end)
    end)
    local list = taken()
    assert.equal("INFO " .. begin_write, list[1])
    assert.matches("^INFO SAVEPOINT ", list[2])
    assert.matches("^INFO INSERT INTO logged", list[3])
    assert.matches("^INFO RELEASE SAVEPOINT ", list[5])
  end)

  it("has the badges of the cache", function()
    local engine, t = setup{echo = true}
    local conn <close> = engine:connect()
    conn:execute(ag.select(t.c.id))
    conn:execute(ag.select(t.c.id))
    conn:execute(ag.select(t.c.id), nil, {execution_options = {compiled_cache = ag.null}})
    conn:execute(ag.CreateTable(ag.Table("made", ag.MetaData(), {ag.Column("id", ag.Integer)})))
    conn:exec_driver_sql("SELECT 1")
    local badges = {}
    for _, line in ipairs(taken()) do badges[#badges + 1] = line:match("^INFO (%b[]) %(%)$") end
    assert.same({"[generated in Ts]", "[cached since Ts ago]", "[caching disabled Ts]", "[no key Ts]", "[raw sql]"}, badges)
    conn:rollback()
  end)

  it("shows few of many sets", function()
    local engine, t = setup{echo = true}
    local rows = {}
    for i = 1, 100 do rows[i] = {id = i, name = "n" .. i} end
    engine:begin(function(conn) conn:execute(ag.update(t):where(t.c.id:eq(ag.bindparam("key"))):values{name = ag.bindparam("n")},
      {{key = 1, n = "a"}, {key = 2, n = "b"}}) end)
    assert.equal("INFO [generated in Ts] [('a', 1), ('b', 2)]", taken()[3])
    engine:begin(function(conn) conn:exec_driver_sql(db.sql "INSERT INTO logged (id, name) VALUES (?, ?)", {{1, "a"}, {2, "b"}}) end)
    assert.equal("INFO [raw sql] [(1, 'a'), (2, 'b')]", taken()[3])
    for i = 1, 100 do rows[i] = {i + 10, "n" .. i} end
    engine:begin(function(conn) conn:exec_driver_sql(db.sql "INSERT INTO logged (id, name) VALUES (?, ?)", rows) end)
    assert.matches("displaying 10 of 100 total bound parameter sets", taken()[3])
  end)

  it("adds names of columns and rows at \"debug\"", function()
    local engine, t = setup{echo = "debug"}
    engine:begin(function(conn) conn:execute(ag.insert(t), {{id = 1, name = "a"}, {id = 2}}) end)
    taken()
    local conn <close> = engine:connect()
    conn:execute(ag.select(t.c.id, t.c.name):order_by(t.c.id)):all()
    local list = taken()
    assert.same({"DEBUG Col ('id', 'name')", "DEBUG Row (1, 'a')", "DEBUG Row (2, NULL)"}, {table.unpack(list, #list - 2)})
    conn:rollback()
  end)

  it("has the logging token of a connection, of an engine, or of one call", function()
    local engine, t = setup{echo = true}
    local conn <close> = engine:connect()
    conn:execution_options{logging_token = "track1"}
    conn:execute(ag.select(t.c.id))
    local list = taken()
    assert.equal("INFO [track1] SELECT logged.id FROM logged", list[#list - 1])
    assert.equal("INFO [track1] [generated in Ts] ()", list[#list])
    conn:execute(ag.select(t.c.id), nil, {execution_options = {logging_token = "call"}})
    list = taken()
    assert.equal("INFO [call] [cached since Ts ago] ()", list[#list])
    conn:rollback()
    local other <close> = engine:execution_options{logging_token = "sub"}:connect()
    taken()
    other:execute(ag.select(t.c.id))
    list = taken()
    assert.equal("INFO [sub] SELECT logged.id FROM logged", list[#list - 1])
    other:rollback()
  end)

  it("names the logger after the engine", function()
    local engine = ag.create_engine(db.url(), {echo = true, logging_name = "shop"})
    local names = {}
    ag.log.set_handler(function(logger) names[logger] = true end)
    engine:connect():exec_driver_sql("SELECT 1")
    assert.is_true(names["argent.engine.Engine.shop"])
    engine:dispose()
  end)

  it("hides parameters", function()
    local engine = ag.create_engine(db.url(), {echo = "debug", hide_parameters = true})
    engine:begin(function(conn) conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER)", {4711}):all() end)
    local said = table.concat(taken(), "\n")
    assert.is_nil(said:find("4711", 1, true))
    assert.matches("%[raw sql%] %[SQL parameters hidden due to hide_parameters=true%]", said)
    engine:dispose()
  end)
end)

describe("enable_from_linting", function()
  local warnings, before
  before_each(function()
    warnings = {}
    before = _G.warn
    _G.warn = function(text) warnings[#warnings + 1] = text end
  end)
  after_each(function()
    _G.warn = before
    db.cleanup()
  end)

  local md = ag.MetaData()
  local a = ag.Table("a", md, {ag.Column("id", ag.Integer, {primary_key = true})})
  local b = ag.Table("b", md, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a_id", ag.ForeignKey("a.id"))})
  local c = ag.Table("c", md, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("b_id", ag.ForeignKey("b.id"))})

  local function warned(stmt, options)
    local engine = db.engine(options)
    md:create_all(engine)
    warnings = {}
    local conn <close> = engine:connect()
    conn:execute(stmt)
    conn:execute(stmt)
    conn:rollback()
    return warnings
  end

  local text = "argent: SELECT statement has a cartesian product between FROM element(s) %s and FROM element \"%s\".  " ..
    "Apply join condition(s) between each element to resolve."

  it("warns of a cartesian product, once a compilation", function()
    assert.same({text:format('"b"', "a")}, warned(ag.select(a.c.id, b.c.id)))
    assert.same({text:format('"c"', "a")}, warned(ag.select(a.c.id, b.c.id, c.c.id):where(a.c.id:eq(b.c.a_id))))
    assert.same({text:format('"c"', "a")}, warned(ag.select(a.c.id, c.c.id):select_from(a:join(b))))
    assert.same({text:format('"b", "c"', "a")}, warned(ag.select(a.c.id, b.c.id, c.c.id):where(a.c.id:gt(1))))
    local inner = ag.select(a.c.id, b.c.id:label("x")):subquery("inside")
    assert.same({text:format('"b"', "a")}, warned(ag.select(inner.c.x)))
    assert.same({text:format('"other"', "a")}, warned(ag.select(a.c.id, b:alias("other").c.id)))
  end)

  it("warns of a cartesian product in UPDATE, DELETE and the SELECT of an INSERT", function()
    local function of(kind) return (text:gsub("SELECT", kind):format('"b"', "a")) end
    assert.same({of "UPDATE"}, warned(ag.update(a):values{id = 5}:where(b.c.id:eq(3))))
    assert.same({of "DELETE"}, warned(ag.delete(a):where(b.c.id:eq(3))))
    assert.same({of "DELETE"}, warned(ag.delete(a):using(b)))
    assert.same({of "SELECT"}, warned(ag.insert(c):from_select({"id"}, ag.select(a.c.id):where(b.c.id:eq(3)))))
    assert.same({}, warned(ag.update(a):values{id = 5}:where(a.c.id:eq(b.c.a_id))))
    assert.same({}, warned(ag.delete(a):where(a.c.id:eq(b.c.a_id))))
    assert.same({}, warned(ag.update(a):values{id = 5}:where(a.c.id:gt(3))))
    assert.same({}, warned(ag.delete(a):where(a.c.id:in_(ag.select(b.c.a_id)))))
  end)

  it("is silent where FROM elements are connected", function()
    local x, y = a:alias("x"), b:alias("y")
    for _, stmt in ipairs{
      ag.select(a.c.id), ag.select(a.c.id, b.c.id):where(a.c.id:eq(b.c.a_id)),
      ag.select(a.c.id, c.c.id):select_from(a:join(b):join(c)),
      ag.select(a.c.id, b.c.id, c.c.id):where(a.c.id:eq(b.c.a_id), b.c.id:lt(c.c.b_id)),
      ag.select(a.c.id, b.c.id):where(a.c.id:between(b.c.a_id, 5)),
      ag.select(a.c.id):where(ag.exists(ag.select(b.c.id):where(b.c.a_id:eq(a.c.id)))),
      ag.select(a.c.id):where(a.c.id:in_(ag.select(b.c.a_id))),
      ag.select(x.c.id, y.c.id):where(x.c.id:eq(y.c.a_id)),
      ag.union(ag.select(a.c.id), ag.select(b.c.id)),
    } do
      assert.same({}, warned(stmt))
    end
  end)

  local d = ag.Table("d", md, {ag.Column("id", ag.Integer, {primary_key = true})})
  local ab = function() return a:join(b, a.c.id:eq(b.c.id)) end

  it("says which elements hang together, and with what they do not", function()
    local inner = ag.select(a.c.id):where(a.c.id:eq(b.c.id)):subquery("s")
    local rows = {
      {ag.select(a.c.id):select_from(ab()):select_from(c):select_from(d):where(d.c.id:eq(b.c.id), c.c.id:eq(d.c.id), c.c.id:eq(5))},
      {ag.select(a.c.id):select_from(ab()):select_from(c):select_from(d):where(c.c.id:eq(d.c.id), c.c.id:eq(5)), '"c", "d"', "a"},
      {ag.select(a.c.id):select_from(ab()):where(c.c.id:eq(5), d.c.id:eq(10)), '"c", "d"', "a"},
      {ag.select(a.c.id):select_from(ab()):select_from(c:join(d, c.c.id:eq(d.c.id))):where(c.c.id:eq(b.c.id), c.c.id:eq(5), d.c.id:eq(10))},
      {ag.select(c.c.id):select_from(inner), '"c"', "s"}, {ag.select(c.c.id):select_from(inner):where(c.c.id:eq(inner.c.id))},
      {ag.select(a.c.id):select_from(a:join(b:join(c, b.c.id:eq(c.c.id)), a.c.id:eq(b.c.id)))},
      {ag.select(a.c.id):select_from(a:join(b:join(c, b.c.id:eq(c.c.id)), a.c.id:eq(b.c.id))):where(d.c.id:eq(5)), '"d"', "a"},
      {ag.select(a.c.id):select_from(a:join(b, ag.true_()))}, {ag.select(a.c.id):select_from(a:join(b, ag.true_()):join(c, ag.true_()))},
      {ag.select(a.c.id):where(a.c.id:gt(b.c.id))}, {ag.select(a.c.id):where((a.c.id + b.c.id):eq(5)), '"b"', "a"},
      {ag.select(1)}, {ag.select(a.c.id):where(ag.or_(a.c.id:eq(b.c.id), a.c.id:eq(3)))},
      {ag.select(a.c.id):where(b:alias().c.id:eq(5)), '"b_1"', "a"}, {ag.select(a.c.id):where(ag.select(b):cte().c.id:eq(5)), '"anon_1"', "a"},
    }
    for i, row in ipairs(rows) do assert.same(row[2] and {text:format(row[2], row[3])} or {}, warned(row[1]), i) end
  end)

  it("knows what LATERAL and table functions hang on", not db.sqlite and function()
    local one = ag.select(a.c.id):subquery("one")
    local two = ag.select(b.c.id):where(b.c.id:eq(one.c.id))
    assert.same({text:format('"two"', "one")}, warned(ag.select(one, two:subquery("two"))))
    local beside = two:lateral("two")
    assert.same({}, warned(ag.select(one, beside)))
    local three = ag.select(c.c.id):where(c.c.id:eq(one.c.id)):lateral("three")
    assert.same({}, warned(ag.select(one, beside, three):join_from(one, beside, ag.true_()):join(three, ag.true_())))
    local other = ag.select(a.c.id):subquery("other")
    local on_other = ag.select(b.c.id):where(b.c.id:eq(other.c.id)):lateral("on_other")
    assert.same({text:format('"other", "on_other"', "one")}, warned(ag.select(one, other, on_other)))
    local doc = ag.Table("doc", md, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("data", ag.JSON)})
    for _, joins in ipairs{true, false} do
      local options = {joins_implicitly = joins}
      local over = ag.func.json_each(doc.c.data:at "d"):table_valued("key", options):render_derived{name = "tv"}
      local elements = ag.func.json_array_elements(doc.c.data:at "d"):column_valued("key", options)
      assert.same({}, warned(ag.select(doc.c.id):where(over.c.key:eq "f")))
      assert.same({}, warned(ag.select(doc.c.id, elements)))
      local series = ag.func.generate_series(1, 3):column_valued("n", options)
      assert.same(joins and {} or {text:format('"n"', "doc")}, warned(ag.select(doc.c.id, series)))
      assert.same({text:format(joins and '"a"' or '"a", "n"', "doc")}, warned(ag.select(doc.c.id, a.c.id, series)))
    end
  end or function() pending "SQLite has no LATERAL" end)

  it("can be switched off", function()
    assert.same({}, warned(ag.select(a.c.id, b.c.id), {enable_from_linting = false}))
  end)
end)
