--- Out of memory at every point: each scenario is run with its n-th allocation failing (spec/support/sweep.lua). ARGENT_SWEEP=full
--- tries every n; else small scenarios are stepped through and long ones sampled.
local ag = require "argent"
local db = require "spec.support.db"
local sweep = require "spec.support.sweep"

local full = os.getenv "ARGENT_SWEEP" == "full"

describe("out of memory", function()
  local engine, users

  before_each(function()
    engine = db.engine{pool_size = 2}
    users = ag.Table("t", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("age", ag.Integer, {default = 7}),
    })
    engine:begin(function(conn)
      conn:exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)")
      for i = 1, 20 do conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", {i, "name " .. i, i}) end
    end)
  end)

  after_each(function()
    engine = nil
    db.cleanup()
  end)

  local function try(name, scenario, points)
    for allocator, default in pairs{core = 150, lua = 40} do
      it(name .. ": " .. allocator, function()
        local some = points and math.min(points, default) or default
        local n = sweep.run(name, scenario, {points = not full and some or nil, allocator = allocator})
        assert.is_true(n > 0)
      end)
    end
  end

  local function count(conn)
    return conn:exec_driver_sql("SELECT count(*) FROM t"):scalar()
  end

  try("opening and disposing an engine", function()
    local url = engine.url
    local e = ag.create_engine(url, {pool_size = 2, echo = false})
    local ok, err = pcall(function()
      local conn <close> = e:connect()
      assert(conn:exec_driver_sql("SELECT 1"):scalar() == 1)
    end)
    e:dispose()
    if not ok then error(err, 0) end
  end, 60)

  try("a query read in every way", function()
    local conn <close> = engine:connect()
    local sql = "SELECT id, name, age FROM t ORDER BY id"
    assert(#conn:exec_driver_sql(sql):all() == 20)
    assert(conn:exec_driver_sql(sql):first().name == "name 1")
    assert(conn:exec_driver_sql(sql):scalars("name"):all()[20] == "name 20")
    assert(conn:exec_driver_sql(sql):mappings():all()[2].age == 2)
    local n = 0
    for row in conn:exec_driver_sql(sql):rows() do
      n = n + row.id
      if n > 10 then break end
    end
    for _, id, name in conn:exec_driver_sql(sql):tuples() do assert(name == "name " .. id) end
    for part in conn:exec_driver_sql(sql):partitions(7) do assert(#part > 0) end
  end)

  try("a transaction that is committed", function()
    engine:begin(function(conn)
      conn:exec_driver_sql("DELETE FROM t WHERE id > 20")
      conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", {21, "new", 1})
    end)
    engine:begin(function(conn) conn:exec_driver_sql("DELETE FROM t WHERE id > 20") end)
  end)

  try("a transaction that raises leaves nothing", function()
    local mark = {}
    local ok, e = pcall(engine.begin, engine, function(conn)
      conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", {30, "gone", 1})
      error(mark)
    end)
    assert(not ok)
    if e ~= mark then error(e, 0) end
    local conn <close> = engine:connect()
    assert(count(conn) == 20, "rows are left")
  end)

  try("savepoints", function()
    engine:begin(function(conn)
      local ok, e = ag.try(conn.begin_nested, conn, function()
        conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", {30, "x", 1})
        conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", {30, "x", 1})
      end)
      assert(not ok)
      if sweep.is_memory(e) or not e:is(ag.exc.IntegrityError) then error(e, 0) end
      conn:begin_nested(function() assert(count(conn) == 20) end)
      local sp = conn:begin_nested()
      conn:exec_driver_sql("DELETE FROM t")
      sp:rollback()
      assert(count(conn) == 20)
    end)
  end)

  try("an executemany", function()
    local rows = {}
    for i = 1, 50 do rows[i] = {100 + i, "many " .. i, i} end
    local conn <close> = engine:connect()
    assert(conn:exec_driver_sql(db.sql "INSERT INTO t VALUES (?, ?, ?)", rows).rowcount == 50)
    conn:rollback()
    assert(count(conn) == 20)
  end)

  try("errors of the database", function()
    local conn <close> = engine:connect()
    for _, sql in ipairs{"SELECT * FROM nowhere", "SELECT FROM WHERE", "INSERT INTO t (id) VALUES (1)"} do
      local ok, e = ag.try(conn.exec_driver_sql, conn, sql)
      assert(not ok)
      if sweep.is_memory(e) then error(e, 0) end
      assert(e:is(ag.exc.DBAPIError), tostring(e))
      conn:rollback()
    end
  end)

  try("values of every kind", function()
    local conn <close> = engine:connect()
    local values = {true, 1, 1.5, "text", ag.null, ag.date("2024-01-05"), ag.datetime("2024-01-05 10:00:00"),
      ag.decimal("12345678901.5")}
    local casts = {"boolean", "integer", "double precision", "text", "integer", "date", "timestamp", "numeric"}
    for i, value in ipairs(values) do
      local sql = db.sql("SELECT CAST(? AS " .. (db.postgresql and casts[i] or "text") .. ")")
      local row = conn:exec_driver_sql(sql, {value}):one()
      assert(tostring(row[1]))
    end
  end)

  try("a streamed result", function()
    local conn <close> = engine:connect()
    local c = conn:execution_options{yield_per = 3}
    local n = 0
    for row in c:exec_driver_sql("SELECT id FROM t ORDER BY id"):rows() do n = n + row.id end
    assert(n == 210)
    for row in c:exec_driver_sql("SELECT id FROM t ORDER BY id"):rows() do
      if row.id == 5 then break end
    end
  end)

  local function model()
    local metadata = ag.MetaData()
    return ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("age", ag.Integer, {default = 7}),
    })
  end

  try("tables and statements built and compiled", function()
    local t = model()
    local sub = ag.select(t.c.age, ag.func.count():label("n")):group_by(t.c.age):subquery("sub")
    local stmt = ag.select(t.c.id, sub.c.n):join(sub, sub.c.age:eq(t.c.age)):where(t.c.id:in_{1, 2, 3} & t.c.name:like("n%"))
    local text = stmt:order_by(t.c.id:desc()):limit(3):compile{dialect = "postgresql"}.string
    assert(text:find("SELECT", 1, true))
  end)

  local clamp = ag.FunctionElement{name = "clamp", type = ag.Integer, inherit_cache = true, compile = function(el)
    local x, top = el.clauses[1], el.clauses[2]
    return {"(", ag.case({x:gt(top), top}, {else_ = x + 0}), ")"}
  end}

  try("custom constructs written by hooks", function()
    local t = users
    local stmt = ag.select(clamp(t.c.id, 15)):where(clamp(t.c.id, 3):gt(2)):order_by(t.c.id:desc()):limit(2)
    assert(stmt:compile{dialect = "sqlite"}.string:find("CASE", 1, true))
    local conn <close> = engine:connect()
    assert(conn:scalar(stmt) == 15)
  end)

  try("statements looked into and rewritten", function()
    local t = users
    local stmt = ag.select(t.c.id, t.c.name:label("n")):where(t.c.id:eq(ag.bindparam("x", {value = 1})), t.c.age:gt(2))
    assert(stmt.selected_columns.n.name == "n" and #stmt:get_final_froms() == 1 and stmt.whereclause)
    local a = ag.ClauseAdapter(t:alias("a")):traverse(stmt:params{x = 7})
    local b = ag.visitors.replacement_traverse(a, {}, function(e) if e.__visit_name == "bindparam" then return ag.literal(5) end end)
    assert(tostring(b):find("a.id = :param_1", 1, true))
  end)

  try("select through Core", function()
    local t = users
    local conn <close> = engine:connect()
    local rows = conn:execute(ag.select(t):where(t.c.id:between(3, 6)):order_by(t.c.id)):all()
    assert(#rows == 4 and rows[1].name == "name 3")
    assert(conn:scalar(ag.text "select count(*) from t where id > :low", {low = 15}) == 5)
  end)

  try("insert, update, delete, upsert through Core", function()
    local t = users
    local conn <close> = engine:connect()
    assert(conn:execute(ag.insert(t):values{id = 50, name = "x"}:returning(t.c.age)):scalar() == 7)
    conn:execute(ag.insert(t), {{id = 51, name = "y"}, {id = 52, name = "z", age = 1}})
    local ins = ag.insert(t):values{id = 51, name = "again"}
    conn:execute(ins:on_conflict_do_update{index_elements = {"id"}, set = {name = ins.excluded.name}})
    assert(conn:execute(ag.update(t):where(t.c.id:eq(51)):values{age = t.c.age + 1}).rowcount == 1)
    assert(conn:execute(ag.delete(t):where(t.c.id:ge(50))).rowcount == 3)
    conn:rollback()
    assert(count(conn) == 20)
  end)

  try("listeners", function()
    local seen = 0
    local function before() seen = seen + 1 end
    ag.event.listen(engine, "before_cursor_execute", before)
    ag.event.listen(engine, "commit", before)
    local ok, e = pcall(engine.begin, engine, function(conn) assert(count(conn) == 20) end)
    for _, name in ipairs{"before_cursor_execute", "commit"} do
      if ag.event.contains(engine, name, before) then ag.event.remove(engine, name, before) end
    end
    if not ok then error(e, 0) end
    assert(seen == 2)
  end)

  try("a URL taken apart and made", function()
    local url = ag.make_url("postgresql://user:pa%40ss@host:5433/base?a=1&b=2")
    assert(url.password == "pa@ss" and url.query.b == "2")
    assert(tostring(url:set{host = "other", query = {x = {"1", "2"}}}))
    local ok, e = ag.try(ag.make_url, "no url at all")
    if not ok and (sweep.is_memory(e) or not e:is(ag.exc.ArgumentError)) then error(e, 0) end
  end)

  try("types", function()
    local list = {ag.String(17), ag.Numeric(9, 3), ag.Enum({"a", "b"}, {name = "e"}), ag.DateTime{timezone = true}}
    for _, t in ipairs(list) do assert(tostring(t)) end
  end)
end)
