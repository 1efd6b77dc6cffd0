-- Constructs of one's own, compile hooks, and dialects written in Lua.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

local function text(stmt, dialect)
  return (stmt:compile{dialect = dialect}.string:gsub("%s+", " "))
end

describe("custom constructs", function()
  local engine, conn, points, c
  setup(function()
    engine = db.engine()
    local m = ag.MetaData()
    points = ag.Table("points", m, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("a", ag.Integer), ag.Column("b", ag.Integer),
      ag.Column("name", ag.String(20)),
    })
    c = points.c
    m:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(points), {{id = 1, a = 3, b = 8, name = "x"}, {id = 2, a = 9, b = 4, name = "y"}})
    conn:commit()
  end)
  teardown(function()
    conn:close()
    db.cleanup()
  end)

  local function greatest_class(options)
    local calls = {0}
    options = options or {name = "greatest", type = ag.Integer, inherit_cache = true}
    local class = ag.FunctionElement(options)
    ag.compiles(class, function(el)
      calls[1] = calls[1] + 1
      return {"GREATEST(", el.clauses, ")"}
    end)
    ag.compiles(class, "sqlite", function(el)
      calls[1] = calls[1] + 1
      local a, b = el.clauses[1], el.clauses[2]
      return ag.case({a:gt(b), a}, {else_ = b})
    end)
    return class, calls
  end

  it("are written by the hook of the dialect, or the default one", function()
    local greatest = greatest_class()
    local stmt = ag.select(greatest(c.a, 5), greatest(c.a, c.b):label("m")):where(greatest(c.a, 3):gt(2))
    assert.equal("SELECT GREATEST(points.a, $1) AS greatest_1, GREATEST(points.a, points.b) AS m FROM points "
      .. "WHERE GREATEST(points.a, $2) > $3", text(stmt, "postgresql"))
    assert.equal("SELECT CASE WHEN (points.a > ?) THEN points.a ELSE ? END AS greatest_1, CASE WHEN (points.a > points.b) THEN points.a "
      .. "ELSE points.b END AS m FROM points WHERE CASE WHEN (points.a > ?) THEN points.a ELSE ? END > ?", text(stmt, "sqlite"))
    assert.same({8, 9}, conn:scalars(ag.select(greatest(c.a, c.b)):order_by(c.id)):all())
  end)

  it("send each execution's values, also as another type and from a cached text", function()
    local sum = ag.FunctionElement{name = "sum_as", type = ag.Integer, inherit_cache = true}
    ag.compiles(sum, function(el)
      return {"(", ag.cast(el.clauses[1], ag.Integer), " + ", ag.type_coerce(el.clauses[2], ag.Integer):label "x", ")"}
    end)
    for i = 1, 3 do
      assert.equal(i + 10, conn:scalar(ag.select(sum(i, ag.literal(10, ag.Integer)))))
      assert.equal(i + 10, conn:scalar(ag.select(sum(10, i))))
      assert.equal(i * 3, conn:scalar(ag.select(sum(ag.bindparam("a", {type = ag.BigInteger}), ag.bindparam("b", {type = ag.BigInteger}))),
        {a = i, b = i * 2}))
    end
  end)

  it("keep operators, windows, aliases and types", function()
    local greatest = greatest_class()
    assert.equal("Integer", tostring(greatest(c.a, 1).type))
    local p2 = points:alias("p2")
    assert.equal("SELECT GREATEST(p2.a, points.b) + :param_1 AS anon_1, GREATEST(points.a) OVER (PARTITION BY points.b) AS anon_2 "
      .. "FROM points AS p2, points", (tostring(ag.select(greatest(p2.c.a, c.b) + 1, greatest(c.a):over{partition_by = c.b}))
      :gsub("%s+", " ")))
  end)

  it("are cached with inherit_cache, with fresh values", function()
    local greatest, calls = greatest_class()
    for i = 1, 20 do
      assert.equal(math.max(3, i), conn:scalar(ag.select(greatest(c.a, i)):where(c.id:eq(1))))
    end
    assert.equal(1, calls[1])
  end)

  it("are compiled each time without it", function()
    local greatest, calls = greatest_class{name = "greatest", type = ag.Integer}
    for i = 1, 3 do
      assert.equal(math.max(3, i), conn:scalar(ag.select(greatest(c.a, i)):where(c.id:eq(1))))
    end
    assert.equal(3, calls[1])
  end)

  it("are compiled again when a hook is added", function()
    local class = ag.FunctionElement{name = "one", type = ag.Integer, inherit_cache = true, compile = function() return "1" end}
    assert.equal(1, conn:scalar(ag.select(class())))
    ag.compiles(class, db.dialect, function() return "2" end)
    assert.equal(2, conn:scalar(ag.select(class())))
    ag.deregister(class)
    expect.raises("UnsupportedCompilationError", {"one", db.dialect}, conn.scalar, conn, ag.select(class()))
  end)

  it("see plain arguments by name, which tell them apart in the cache", function()
    local padded = ag.ColumnElement{name = "padded", args = {"value", "width", "fill"}, type = ag.Text, inherit_cache = true,
      compile = function(el)
        return {"substr('", (el.fill or "."):rep(el.width), "' || ", el.value, ", -", tostring(el.width), ")"}
      end}
    local function sqlite(width, fill)
      return text(ag.select(padded(c.name, width, fill)), "sqlite")
    end
    assert.equal("SELECT substr('...' || points.name, -3) AS anon_1 FROM points", sqlite(3))
    assert.equal("SELECT substr('**' || points.name, -2) AS anon_1 FROM points", sqlite(2, "*"))
    if db.sqlite then
      for _, fill in ipairs{"-", "+", "-"} do
        assert.equal(fill .. "x", conn:scalar(ag.select(padded(c.name, 2, fill)):where(c.id:eq(1))))
      end
    end
    expect.raises("ArgumentError", {"takes 3 arguments", "4"}, padded, 1, 2, 3, 4)
  end)

  it("raise where there is no hook, or where it returns nonsense", function()
    local lost = ag.FunctionElement{name = "lost"}
    expect.raises("UnsupportedCompilationError", {"lost", "sqlite"}, function() text(ag.select(lost(1)), "sqlite") end)
    for _, nonsense in ipairs{5, true, function() end, {1}, "a\0b", "\xff"} do
      local odd = ag.ColumnElement{compile = function() return nonsense end}
      expect.raises("ArgumentError", "compile hook", function() text(ag.select(odd()), "sqlite") end)
    end
    local failing = ag.ColumnElement{compile = function() error({mine = 1}) end}
    local ok, e = pcall(text, ag.select(failing()), "sqlite")
    assert.is_false(ok)
    assert.same({mine = 1}, e)
    local misspelt = ag.ColumnElement{args = {"value"}, compile = function(el) return el.valeu end}
    expect.raises("ArgumentError", {"no 'valeu'", "did you mean 'value'?"}, function() text(ag.select(misspelt(c.a)), "sqlite") end)
    expect.raises("ArgumentError", {"unknown option 'inherit_cahe'", "inherit_cache"}, ag.ColumnElement, {inherit_cahe = true})
    local asks = ag.ColumnElement{name = "asks", args = {"value"}}
    ag.compiles(asks, function(el, compiler) return "(" .. compiler:process(el.value) .. ")" end)
    expect.raises("ArgumentError", "put the part itself into the list", function() return asks(5):compile() end)
    ag.compiles(asks, function(_, compiler) return compiler:quoted("x") end)
    expect.raises("ArgumentError", "did you mean 'quote'?", function() return asks(5):compile() end)
    expect.raises("ArgumentError", "expected a class", ag.compiles, "Nothing", function() end)
    expect.raises("ArgumentError", "expected a function", ag.compiles, ag.insert, "sqlite", 5)
  end)

  it("lend what they show: it ends with the compilation", function()
    local kept = {}
    local thief = ag.ColumnElement{args = {"value"}, compile = function(el)
      kept[1], kept[2] = el.value, el.value + 1
      kept[3] = ag.select(kept[2]):subquery("s")
      kept[4] = kept[3].c
      kept[5] = el.element
      return kept[2]
    end}
    assert.equal("SELECT points.a * ? + ? AS anon_1 FROM points", text(ag.select(thief(c.a * 2)), "sqlite"))
    collectgarbage()
    local uses = {
      function() return kept[1] + 1 end, function() return kept[2]:label("x") end, function() return ag.select(kept[2]) end,
      function() return kept[3].c.x end, function() return kept[4][1] end, function() return #kept[4] end,
      function() return tostring(kept[5]) end, function() return ag.select(kept[3]) end, function() return kept[2].type end,
      function() return ag.aliased(kept[3]) end,
    }
    for i, use in ipairs(uses) do
      local ok, e = pcall(use)
      assert.is_false(ok, "use " .. i)
      assert.truthy(ag.exc.is_error(e), "use " .. i .. ": " .. tostring(e))
    end
  end)

  it("may compile another statement in a hook", function()
    local nested
    local outer = ag.ColumnElement{args = {"value"}, compile = function(el)
      nested = tostring(el.value + 1)
      return {"f(", el.value, ")"}
    end}
    local twice = ag.ColumnElement{args = {"value"}, compile = function(el)
      local inner = tostring(outer(el.value))
      return {el.value, " /* ", inner, " */"}
    end}
    assert.equal("SELECT points.a * ? /* f(points.a * :a_1) */ AS anon_1 FROM points", text(ag.select(twice(c.a * 2)), "sqlite"))
    assert.equal("points.a * :a_1 + :param_1", nested)
  end)

  it("may be statements and DDL", function()
    local create_view = ag.ExecutableDDLElement{args = {"name", "select"}, compile = function(el, compiler)
      return {"CREATE VIEW ", compiler:quote(el.name), " AS ", el.select}
    end}
    local drop_view = ag.ExecutableDDLElement{args = {"name"}, compile = function(el, compiler)
      return "DROP VIEW " .. compiler:quote(el.name)
    end}
    local view = create_view("Big points", ag.select(c.id):where(c.a:gt(ag.literal_column "5")))
    assert.equal([[CREATE VIEW "Big points" AS SELECT points.id FROM points WHERE points.a > 5]], text(view, "postgresql"))
    conn:execute(view)
    assert.equal(2, conn:scalar(ag.select(ag.column("id", ag.Integer)):select_from(ag.table("Big points"))))
    conn:execute(drop_view("Big points"))
    conn:commit()
    local upsert = ag.Executable{args = {"into", "from"}, compile = function(el)
      return {"INSERT INTO ", el.into, " (id, a) ", el.from}
    end}
    conn:execute(upsert(points, ag.select(c.id + 10, c.a)))
    assert.equal(4, conn:scalar(ag.select(ag.func.count()):select_from(points)))
    conn:rollback()
  end)

  it("may have a name that is always quoted, or never", function()
    ag.GenericFunction{name = ag.quoted_name("ST_Buffer", true), package = "geo", identifier = "buffer", type = ag.Text}
    ag.GenericFunction{name = ag.quoted_name("plain", true), type = ag.Text}
    ag.GenericFunction{name = ag.quoted_name("Order", false), type = ag.Text}
    assert.equal('SELECT "ST_Buffer"(points.a) || "plain"($1) AS anon_1, Order($2) AS "Order_1" FROM points',
      text(ag.select(ag.func.geo.buffer(c.a) + ag.func.plain(1), ag.func.Order(2)), "postgresql"))
  end)

  it("register functions by name", function()
    ag.GenericFunction{name = "as_text_of", type = ag.Text}
    assert.equal("Text", tostring(ag.func.as_text_of(c.a).type))
    assert.equal("as_text_of(points.a)", tostring(ag.func.As_Text_Of(c.a)))
    ag.GenericFunction{name = "ST_Within", package = "geo", identifier = "within", type = ag.Boolean}
    assert.equal("Boolean", tostring(ag.func.geo.within(c.a, c.b).type))
    assert.equal("ST_Within(points.a, points.b)", tostring(ag.func.geo.within(c.a, c.b)))
    assert.equal("within(points.a)", tostring(ag.func.within(c.a)))
    ag.register_function("double_of", function(x) return x * 2 end)
    assert.equal("points.a * :a_1", tostring(ag.func.double_of(c.a)))
    local doubled = ag.GenericFunction{name = "doubled", type = ag.Integer, compile = function(el) return {el.clauses[1], " * 2"} end}
    assert.equal(6, conn:scalar(ag.select(ag.func.doubled(c.a)):where(c.id:eq(1))))
    assert.equal("SELECT points.a * 2 AS doubled_1 FROM points", text(ag.select(doubled(c.a)), "postgresql"))
  end)
end)

describe("hooks of what is there", function()
  local t
  before_each(function()
    t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("s", ag.String(5))})
  end)

  local function with(target, dialect, fn, body)
    ag.compiles(target, dialect, fn)
    local ok, e = pcall(body)
    ag.deregister(target)
    assert(ok, e)
  end

  it("write statements in another way", function()
    with(ag.insert, "sqlite", function(el, compiler) return compiler:default(el.element:prefix_with("OR IGNORE")) end, function()
      assert.equal("INSERT OR IGNORE INTO t (s) VALUES (?)", text(ag.insert(t):values{s = "x"}, "sqlite"))
      assert.equal("INSERT INTO t (s) VALUES ($1) RETURNING t.id", text(ag.insert(t):values{s = "x"}, "postgresql"))
      local engine = ag.create_engine("sqlite://")
      t.metadata:create_all(engine)
      engine:begin(function(conn)
        assert.equal(7, conn:execute(ag.insert(t):values{id = 7, s = "x"}).inserted_primary_key[1])
        conn:execute(ag.insert(t), {{id = 7, s = "again"}, {id = 8, s = "y"}})
        assert.same({"x", "y"}, conn:scalars(ag.select(t.c.s):order_by(t.c.id)):all())
      end)
    end)
    assert.equal("INSERT INTO t (s) VALUES (?)", text(ag.insert(t):values{s = "x"}, "sqlite"))
  end)

  it("write operators, functions and DDL in another way", function()
    with("BinaryExpression", "postgresql", function(el) return {"op(", el.left, ", '", el.operator, "', ", el.right, ")"} end, function()
      assert.equal("SELECT op(t.id, 'add', $1) AS anon_1 FROM t WHERE op(t.s, 'eq', $2)",
        text(ag.select(t.c.id + 1):where(t.c.s:eq("x")), "postgresql"))
    end)
    with(ag.func.upper, {"sqlite", "postgresql"}, function(el) return {"UCASE(", el.clauses, ")"} end, function()
      assert.equal("SELECT UCASE(t.s) AS upper_1 FROM t", text(ag.select(ag.func.upper(t.c.s)), "sqlite"))
      assert.equal("SELECT UCASE(t.s) AS x FROM t", text(ag.select(ag.func.UPPER(t.c.s):label("x")), "postgresql"))
    end)
    with(ag.CreateTable, "default", function(el, compiler) return {compiler:default(el), " WITH FUN"} end, function()
      assert.matches("PRIMARY KEY %(id%) %) WITH FUN$", text(ag.CreateTable(t), "sqlite"))
    end)
  end)

  it("write types in another way", function()
    with(ag.String, "sqlite", function(sql_type) return ("STR<%s>"):format(sql_type.length or "") end, function()
      assert.matches("s STR<5>,", text(ag.CreateTable(t), "sqlite"), 1, true)
      assert.matches("s VARCHAR(5),", text(ag.CreateTable(t), "postgresql"), 1, true)
      assert.equal("CAST(t.id AS STR<>)", text(t.c.id:cast(ag.String), "sqlite"))
    end)
    local money = ag.UserDefinedType{get_col_spec = "MONEY"}
    with(money, "sqlite", function() return "NUMERIC" end, function()
      assert.equal("CAST(t.id AS NUMERIC)", text(t.c.id:cast(money), "sqlite"))
      assert.equal("CAST(t.id AS MONEY)", text(t.c.id:cast(money), "postgresql"))
    end)
    with(ag.Integer, "sqlite", function() return 5 end, function()
      expect.raises("ArgumentError", "the compile hook of a type", function() text(ag.CreateTable(t), "sqlite") end)
    end)
  end)
end)

describe("syntax extensions", function()
  local t = ag.table("t", ag.column "a", ag.column "b")
  local function extension(points)
    return ag.SyntaxExtension{name = "hint", args = {"what"}, inherit_cache = true, points = points,
      compile = function(el) return {"[", el.what, "]"} end}
  end

  it("stand at each point of a statement", function()
    local expected = {
      post_select = "SELECT [t.b] t.a FROM t WHERE t.a > ? ORDER BY t.a", pre_columns = "SELECT [t.b] t.a FROM t WHERE t.a > ? ORDER BY t.a",
      post_criteria = "SELECT t.a FROM t WHERE t.a > ? [t.b] ORDER BY t.a", post_body = "SELECT t.a FROM t WHERE t.a > ? ORDER BY t.a [t.b]",
    }
    for point, sql in pairs(expected) do
      local ext = extension{select = point}
      assert.equal(sql, text(ag.select(t.c.a):where(t.c.a:gt(1)):order_by(t.c.a):ext(ext(t.c.b)), "sqlite"), point)
    end
    local ext = extension{insert = "post_values", update = "post_criteria", delete = "post_criteria"}
    assert.equal("INSERT INTO t (a) VALUES (?) [t.b]", text(ag.insert(t):values{a = 1}:ext(ext(t.c.b)), "sqlite"))
    assert.equal("UPDATE t SET a=? WHERE t.b = ? [t.b]", text(ag.update(t):values{a = 1}:where(t.c.b:eq(2)):ext(ext(t.c.b)), "sqlite"))
    assert.equal("DELETE FROM t WHERE t.b = ? [t.b]", text(ag.delete(t):where(t.c.b:eq(2)):ext(ext(t.c.b)), "sqlite"))
    expect.raises("ArgumentError", {"hint", "select"}, function() return ag.select(t.c.a):ext(ext(t.c.b)) end)
  end)

  it("decide by themselves, and may replace their like", function()
    local limited
    limited = ag.SyntaxExtension{name = "limited", args = {"n"}, inherit_cache = true,
      apply_to_select = function(self, stmt) return stmt:apply_syntax_extension_point(self, "post_body", {replace = true}) end,
      compile = function(el) return "LIMIT " .. el.n end}
    local stmt = ag.select(t.c.a):ext(limited(1)):ext(limited(2))
    assert.equal("SELECT t.a FROM t LIMIT 2", text(stmt, "sqlite"))
    expect.raises("ArgumentError", {"post_bdy", "post_body"}, function() return stmt:apply_syntax_extension_point(limited(1), "post_bdy") end)
    expect.raises("ArgumentError", "expected an ag.SyntaxExtension", function() return stmt:ext(t.c.a) end)
  end)
end)

describe("a dialect in Lua", function()
  local toy = require "spec.support.toy_dialect"
  local t = ag.Table("zone", ag.MetaData(), {
    ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("select", ag.String(10)), ag.Column("on", ag.Boolean), ag.Column("x", ag.Text),
  })
  local c = t.c

  it("writes names, types and clauses its own way", function()
    local sql = function(stmt) return text(stmt, toy) end
    assert.equal("SELECT [zone].[select], [zone].x || ? AS anon_1 FROM [zone] LIMIT ? OFFSET ?",
      sql(ag.select(c.select, c.x .. "a"):limit(3):offset(2)))
    assert.equal("SELECT [zone].id FROM [zone] LIMIT -1 OFFSET ?", sql(ag.select(c.id):offset(2)))
    assert.equal("SELECT [zone].id XOR ? AS anon_1, CAST([zone].id AS CHARACTER(4)) AS id, datetime('2024-01-05 10:00:00') AS now_1 FROM [zone]",
      sql(ag.select(c.id:bitwise_xor(3), c.id:cast(ag.String(4)), ag.func.now())))
    assert.equal("SELECT [zone].id FROM [zone] WHERE NOT ([zone].id IS ?) AND [zone].x ILIKE ?",
      sql(ag.select(c.id):where(c.id:is_distinct_from(3), c.x:ilike("a%"))))
    assert.equal("CREATE TABLE [zone] ( id INTEGER NOT NULL, [select] CHARACTER(10), on BOOL, x TEXT, PRIMARY KEY (id) )",
      sql(ag.CreateTable(t)):gsub("^%s+", ""):gsub("%s+$", ""))
    assert.equal("SELECT a.[we]]ird] FROM a", sql(ag.select(ag.table("a", ag.column "we]ird").c["we]ird"])))
    assert.equal(toy, ag.dialects.get "toy")
    assert.equal("toy", ag.select(c.id):compile{dialect = "toy"}.dialect)
  end)

  it("leaves other dialects alone", function()
    assert.equal([[SELECT zone."select", now() AS now_1 FROM zone LIMIT $1]], text(ag.select(c.select, ag.func.now()):limit(1), "postgresql"))
  end)

  it("runs on the driver of the dialect it is based on", function()
    local engine = ag.create_engine("sqlite://", {dialect = toy})
    local m = ag.MetaData()
    local log = ag.Table("select", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("at", ag.String(30)),
      ag.Column("zone", ag.Text, {default = "z"})})
    m:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(log), {{at = "a"}, {at = "b", zone = "y"}})
      conn:execute(ag.insert(log):values{at = ag.func.now()})
      assert.same({"b", "2024-01-05 10:00:00"}, conn:scalars(ag.select(log.c.at):order_by(log.c.id):limit(2):offset(1)):all())
      assert.same({"z", "y", "z"}, conn:scalars(ag.select(log.c.zone):order_by(log.c.id)):all())
    end)
  end)

  it("is checked when it is registered", function()
    local register = ag.dialects.register
    expect.raises("ArgumentError", "already", register, "toy", {})
    expect.raises("ArgumentError", "already", register, "sqlite", {})
    expect.raises("ArgumentError", {"operatrs", "operators"}, register, "bad1", {operatrs = {}})
    expect.raises("ArgumentError", {"upsrt", "upsert"}, register, "bad2", {features = {upsrt = true}})
    expect.raises("ArgumentError", {"concta", "concat"}, register, "bad3", {operators = {concta = "+"}})
    expect.raises("ArgumentError", "no construct 'Nonsense'", register, "bad4", {visit = {Nonsense = function() end}})
    expect.raises("ArgumentError", "identifier_quote", register, "bad5", {identifier_quote = "abc"})
    expect.raises("ArgumentError", {"qmrak", "qmark"}, register, "bad6", {paramstyle = "qmrak"})
    expect.raises("ArgumentError", nil, register, "bad7", {base = "oracle"})
    expect.raises("ArgumentError", "unknown dialect 'bad1'", function() return ag.select(c.id):compile{dialect = "bad1"} end)
  end)
end)
