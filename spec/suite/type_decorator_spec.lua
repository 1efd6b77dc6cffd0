--- Types with functions in Lua: what they do with values, with SQL around them, and with operators.
local ag = require "argent"
local db = require "spec.support.db"

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end

local function sql(expr)
  return (expr:compile{dialect = db.dialect}.string:gsub("%$%d+", "?"))
end

describe("types of users", function()
  after_each(db.cleanup)

  --- An engine's connection and a table with a column "v" of the type.
  local function table_of(kind, ddl)
    local engine = db.engine()
    local metadata = ag.MetaData()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", kind)})
    local conn = engine:connect()
    if ddl then conn:exec_driver_sql(ddl) else metadata:create_all(conn) end
    conn:commit()
    return conn, t
  end

  describe("process_…", function()
    local Csv = ag.TypeDecorator{
      impl = ag.Text, cache_ok = true,
      process_bind_param = function(_, value, dialect) return value and dialect.name .. ":" .. table.concat(value, ",") end,
      process_result_value = function(_, value)
        local out = {}
        for word in (value or ""):gsub("^%w+:", ""):gmatch("[^,]+") do out[#out + 1] = word end
        return out
      end,
    }

    it("functions stand between Lua and the database", function()
      local conn <close>, t = table_of(Csv)
      conn:execute(ag.insert(t):values{id = 1, v = {"a", "b"}})
      assert.equal(db.dialect .. ":a,b", conn:scalar(ag.text "SELECT v FROM t"))
      assert.same({"a", "b"}, conn:scalar(ag.select(t.c.v)))
      assert.equal(1, conn:scalar(ag.select(t.c.id):where(t.c.v:eq({"a", "b"}))))
      assert.equal(1, conn:scalar(ag.select(t.c.id):where(t.c.v:in_{{"x"}, {"a", "b"}})))
    end)

    it("functions see NULL", function()
      local conn <close>, t = table_of(Csv)
      conn:execute(ag.insert(t):values{id = 1, v = ag.null_()})
      assert.same({}, conn:scalar(ag.select(t.c.v)))
    end)

    it("functions of literals are used for literals", function()
      local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
        process_bind_param = function(_, value) return "bound " .. value end,
        process_literal_param = function(_, value) return "literal " .. value end}
      local conn <close> = (table_of(kind))
      assert.equal("bound x", conn:scalar(ag.select(ag.literal("x", kind))))
      assert.equal("literal x", conn:scalar(ag.select(ag.literal("x", {type = kind, literal_execute = true}))))
      assert.equal("'literal x'", ag.literal("x", kind):compile{dialect = db.dialect, literal_binds = true}.string)
    end)

    it("decorators of decorators run from the outside in, and back", function()
      local function around(a, b, impl)
        return ag.TypeDecorator{impl = impl, cache_ok = true,
          process_bind_param = function(_, value) return a .. value .. b end,
          process_result_value = function(_, value) return value:sub(2, -2) end}
      end
      local conn <close>, t = table_of(around("[", "]", around("(", ")", ag.String(20))))
      conn:execute(ag.insert(t):values{id = 1, v = "x"})
      assert.equal("([x])", conn:scalar(ag.text "SELECT v FROM t"))
      assert.equal("x", conn:scalar(ag.select(t.c.v)))
    end)

    it("functions are asked for parameters that take the type of their column", function()
      local conn <close>, t = table_of(Csv)
      conn:execute(ag.insert(t):values{id = 1, v = ag.bindparam "p"}, {p = {"a", "b"}})
      conn:execute(ag.insert(t):values{id = ag.bindparam "i", v = ag.bindparam "p"}, {{i = 2, p = {"c"}}, {i = 3, p = {"d"}}})
      assert.same({{"a", "b"}, {"c"}, {"d"}}, conn:scalars(ag.select(t.c.v):order_by(t.c.id)):all())
      conn:execute(ag.update(t):values{v = ag.bindparam "p"}:where(t.c.id:eq(ag.bindparam "i")), {p = {"x", "y"}, i = 1})
      assert.same({"x", "y"}, conn:scalar(ag.select(t.c.v):where(t.c.id:eq(1))))
    end)

    it("functions are asked once for each member of a list that comes with the call", function()
      local tens = ag.TypeDecorator{impl = ag.Integer, cache_ok = true, process_bind_param = function(_, value) return value * 10 end}
      local conn <close>, t = table_of(tens)
      conn:execute(ag.insert(t), {{id = 1, v = 12}, {id = 2, v = 15}, {id = 3, v = 9}})
      for _, options in ipairs{{expanding = true}, {expanding = true, type = tens}} do
        local stmt = ag.select(t.c.id):where(t.c.v:in_(ag.bindparam("list", options))):order_by(t.c.id)
        assert.same({2, 3}, conn:scalars(stmt, {list = {15, 9}}):all())
        assert.same({}, conn:scalars(stmt, {list = {}}):all())
      end
      local plain = ag.select(t.c.id):where(t.c.id:in_(ag.bindparam("list", {expanding = true})))
      assert.matches("list %(Integer%) takes an integer, not text", message(conn.execute, conn, plain, {list = {"x"}}))
      conn:rollback()
    end)

    it("functions that make functions are called once for each dialect", function()
      local made = {}
      local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
        bind_processor = function(_, dialect)
          made[#made + 1] = dialect.name
          return function(value) return value and value:upper() end
        end,
        result_processor = function() return function(value) return value and "<" .. value .. ">" end end,
        literal_processor = function() return nil end}
      local conn <close>, t = table_of(kind)
      conn:execute(ag.insert(t), {{id = 1, v = "a"}, {id = 2, v = "b"}})
      assert.same({"<A>", "<B>"}, conn:scalars(ag.select(t.c.v):order_by(t.c.id)):all())
      assert.same({db.dialect}, made)
      assert.equal("'q'", ag.literal("q", kind):compile{dialect = db.dialect, literal_binds = true}.string)
    end)

    it("an error in a function is an error of the statement, and the connection lives on", function()
      local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true, process_bind_param = function() error "no" end}
      local conn <close>, t = table_of(kind)
      assert.matches("no", message(conn.execute, conn, ag.insert(t):values{id = 1, v = "x"}))
      conn:rollback()
      assert.equal(0, conn:scalar(ag.select(ag.func.count()):select_from(t)))
    end)
  end)

  describe("load_dialect_impl", function()
    it("gives another type to a dialect", function()
      local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
        load_dialect_impl = function(self, dialect)
          return dialect.name == "postgresql" and ag.postgresql.JSONB or self.impl
        end,
        process_bind_param = function(_, value, dialect)
          return dialect.name == "postgresql" and value or require("argent.json").encode(value)
        end,
        process_result_value = function(_, value, dialect)
          return dialect.name == "postgresql" and value or require("argent.json").decode(value)
        end}
      local t = ag.Table("t", ag.MetaData(), {ag.Column("v", kind)})
      assert.matches("v JSONB", ag.CreateTable(t):compile{dialect = "postgresql"}.string)
      assert.matches("v TEXT", ag.CreateTable(t):compile{dialect = "sqlite"}.string)
      local conn <close>, real = table_of(kind)
      conn:execute(ag.insert(real):values{id = 1, v = {a = {1, 2}}})
      assert.same(2, conn:scalar(ag.select(real.c.v)).a[2])
    end)

    it("must give a type", function()
      local own = ag.TypeDecorator{impl = ag.Integer, cache_ok = true, coerce_compared_value = function(self) return self end}
      assert.equal(tostring(own), tostring((ag.column("x", own) + 1.5).type))
      assert.matches("instead of a type", message(ag.TypeDecorator, {impl = ag.Text, load_dialect_impl = function() return 5 end}))
    end)
  end)

  describe("bind_expression and column_expression", function()
    local Lower = ag.TypeDecorator{impl = ag.String(50), cache_ok = true,
      bind_expression = function(_, bind) return ag.func.lower(bind) end,
      column_expression = function(_, column) return ag.func.upper(column) end}

    it("stand around values and columns", function()
      local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", Lower)})
      assert.equal("INSERT INTO t (id, v) VALUES (?, lower(?))", sql(ag.insert(t):values{id = 1, v = "X"}))
      assert.equal("UPDATE t SET v=lower(?)", sql(ag.update(t):values{v = "X"}))
      assert.equal("SELECT t.id, upper(t.v) AS v FROM t WHERE t.v = lower(?)",
        (sql(ag.select(t):where(t.c.v:eq("X"))):gsub("%s+", " ")))
      assert.equal("SELECT upper(t.v) AS a FROM t", (sql(ag.select(t.c.v:label("a"))):gsub("%s+", " ")))
      assert.equal("t.v || lower(?)", sql(t.c.v .. "x"))
    end)

    it("stand around each member of a list", function()
      local c = ag.column("v", Lower)
      local stmt = ag.select(c:in_{"A", "B"}):compile{dialect = db.dialect, render_postcompile = true}
      assert.matches("v IN %(lower%([^,]+%), lower%([^,]+%)%)", stmt.string)
      assert.matches("v IN %(lower%('A'%), lower%('B'%)%)", ag.select(c:in_{"A", "B"}):compile{dialect = db.dialect, literal_binds = true}.string)
    end)

    it("work, cached or not", function()
      local conn <close>, t = table_of(Lower)
      for i, word in ipairs{"One", "TWO", "three"} do conn:execute(ag.insert(t):values{id = i, v = word}) end
      assert.same({"one", "three", "two"}, conn:scalars(ag.text "SELECT v FROM t ORDER BY v"):all())
      for _ = 1, 3 do
        assert.same({"ONE", "TWO", "THREE"}, conn:scalars(ag.select(t.c.v):order_by(t.c.id)):all())
        assert.equal(2, conn:scalar(ag.select(t.c.id):where(t.c.v:eq("tWo"))))
        assert.same({1, 3}, conn:scalars(ag.select(t.c.id):where(t.c.v:in_{"ONE", "THREE"}):order_by(t.c.id)):all())
      end
      local sub = ag.select(t.c.v):where(t.c.id:eq(1)):subquery()
      assert.equal("ONE", conn:scalar(ag.select(sub.c.v)))
    end)

    it("stand around parameters of the call, defaults and objects' values, and in every SELECT of a set operation", function()
      local conn <close>, t = table_of(Lower)
      local function stored() return conn:scalars(ag.text "SELECT v FROM t ORDER BY id"):all() end
      conn:execute(ag.insert(t), {id = 1, v = "A"})
      conn:execute(ag.insert(t), {{id = 2, v = "B"}, {id = 3, v = "C"}})
      conn:execute(ag.insert(t):returning(t.c.id), {{id = 4, v = "D"}, {id = 5, v = "E"}, {id = 6, v = "F"}})
      assert.same({"a", "b", "c", "d", "e", "f"}, stored())
      conn:execute(ag.update(t):where(t.c.id:eq(ag.bindparam("key"))), {{key = 1, v = "X"}, {key = 2, v = "Y"}})
      assert.same({"x", "y", "c", "d", "e", "f"}, stored())
      local both = ag.union_all(ag.select(t.c.v):where(t.c.id:eq(1)), ag.select(t.c.v):where(t.c.id:eq(2)))
      local found = conn:scalars(both):all()
      table.sort(found)
      assert.same({"X", "Y"}, found)
      local defaults = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", Lower, {default = "DEF"})})
      conn:execute(ag.insert(defaults), {id = 7})
      conn:execute(ag.insert(defaults), {{id = 8}, {id = 9}})
      local Base = ag.declarative_base()
      local Thing = Base:model("Thing", {__tablename = "t", id = ag.mapped_column(ag.Integer, {primary_key = true}), v = ag.mapped_column(Lower)})
      local session <close> = ag.Session(conn)
      session:add_all{Thing{id = 10, v = "O"}, Thing{id = 11, v = "P"}}
      session:flush()
      local all = stored()
      assert.same({"def", "def", "def", "o", "p"}, {all[7], all[8], all[9], all[10], all[11]})
    end)

    it("stand around parameters without a type in values", function()
      local t = ag.Table("t", ag.MetaData(), {ag.Column("v", Lower)})
      assert.equal("UPDATE t SET v=lower(?)", sql(ag.update(t):values{v = ag.bindparam "p"}))
      assert.equal("INSERT INTO t (v) VALUES (lower(?))", sql(ag.insert(t):values{v = ag.bindparam "p"}))
      assert.equal("INSERT INTO t (v) VALUES (?)", sql(ag.insert(t):values{v = ag.bindparam("p", {type = ag.String})}))
      assert.equal("INSERT INTO t (v) VALUES (?)", sql(ag.insert(t):values{v = ag.bindparam("p", "X")}))
    end)

    it("of a variant stand on its dialect only", function()
      local other = db.dialect == "sqlite" and "postgresql" or "sqlite"
      local inner = ag.TypeDecorator{impl = ag.Text():with_variant(Lower, db.dialect), cache_ok = true}
      local t = ag.Table("t", ag.MetaData(), {ag.Column("v", ag.String(30):with_variant(Lower, db.dialect)),
        ag.Column("w", ag.String(30):with_variant(Lower, other)), ag.Column("x", inner)})
      assert.equal("SELECT upper(t.v) AS v, t.w, upper(t.x) AS x FROM t WHERE t.v = lower(?) AND t.w = ? AND t.x = lower(?)",
        (sql(ag.select(t):where(t.c.v:eq("X"), t.c.w:eq("X"), t.c.x:eq("X"))):gsub("%s+", " ")))
      assert.equal("INSERT INTO t (v, w, x) VALUES (lower(?), ?, lower(?))", sql(ag.insert(t)))
    end)

    --- The manual's example: the type of the value inside is another one than the column's.
    for name, how in pairs{type_coerce = {ag.type_coerce, ""}, cast = {ag.cast, "NEVER "}} do
      it("may see the value as another type, by " .. name, function()
        local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
          process_bind_param = function(_, value) return value and "never " .. value end,
          bind_expression = function(_, bind) return ag.func.upper(how[1](bind, ag.String):concat(ag.literal("!"))) end}
        local conn <close>, t = table_of(kind)
        local v = t.c.v
        conn:execute(ag.insert(t), {{id = 1, v = "one"}, {id = 2, v = "two"}})
        for i, word in ipairs{"three", "four"} do conn:execute(ag.insert(t):values{id = 2 + i, v = word}) end
        conn:execute(ag.insert(t):values{{id = 5, v = "five"}, {id = 6, v = "six"}})
        conn:execute(ag.update(t):where(v:eq("two")), {v = "second"})
        for i, word in ipairs{"ONE!", "SECOND!", "THREE!", "FOUR!", "FIVE!", "SIX!"} do
          assert.equal(how[2] .. word, conn:scalar(ag.select(v):where(t.c.id:eq(i)))) -- a cast sends the column's values
        end
        local ids = ag.select(t.c.id):order_by(t.c.id)
        for i, word in ipairs{"one", "second", "three"} do -- one cached text, other values
          assert.equal(i, conn:scalar(ids:where(v:eq(word))))
          assert.equal(i, conn:scalar(ids:where(v:eq(ag.bindparam("word"))), {word = word}))
          assert.same({i, 6}, conn:scalars(ids:where(v:in_{word, "six"})):all())
        end
        assert.same({1, 2, 3}, conn:scalars(ids:where(v:in_{"one", "second", "three"})):all())
      end)
    end

    it("are inherited by a decorator, and may leave things as they are", function()
      local kind = ag.TypeDecorator{impl = Lower, cache_ok = true}
      assert.equal("v = lower(?)", sql(ag.column("v", kind):eq("x")))
      local none = ag.TypeDecorator{impl = ag.Text, cache_ok = true, bind_expression = function() return nil end}
      assert.equal("v = ?", sql(ag.column("v", none):eq("x")))
    end)

    it("must give expressions, and what they saw ends with the compilation", function()
      local wrong = ag.TypeDecorator{impl = ag.Text, bind_expression = function() return "x" end}
      assert.matches("instead of an SQL expression", message(sql, ag.column("v", wrong):eq("x")))
      local seen
      local keeps = ag.TypeDecorator{impl = ag.Text, bind_expression = function(_, bind) seen = bind return ag.func.lower(bind) end}
      assert.equal("v = lower(?)", sql(ag.column("v", keeps):eq("x")))
      assert.matches("compilation is over", message(function() return tostring(seen) end))
    end)
  end)

  describe("comparator_factory", function()
    local Tags = ag.TypeDecorator{impl = ag.Text, cache_ok = true, comparator_factory = {
      has_tag = function(self, tag) return self:like("%," .. tag .. ",%") end,
      eq = function(self, other) return ag.func.lower(self:cast(ag.Text)):eq(ag.func.lower(other)) end,
      ne = function(self, other) return ag.not_(self:op("=")(other)) end,
      startswith = function(self, other) return self:startswith(other .. "!") end,
      __add = function(self, other) return self:op("~~")(other) end,
      __radd = function(self, other) return self:op("!!")(other) end,
    }}

    it("gives expressions new methods and operators", function()
      local c = ag.column("v", Tags)
      assert.equal("v LIKE ?", sql(c:has_tag("x")))
      assert.matches("^lower%(CAST%(v AS TEXT%)%) = lower%(%?%)$", sql(c:eq("A")))
      assert.equal("v ~~ ?", sql(c + "x"))
      assert.equal("v !! ?", sql("x" + c))
      assert.matches("no attribute 'has_tag'", message(function() return ag.column("v", ag.Text):has_tag("x") end))
    end)

    it("functions reach the built-in operator of their own name", function()
      local c = ag.column("v", Tags)
      assert.matches("^%(?v LIKE %? || '%%'", sql(c:startswith("x")))
      assert.matches("^%(?v LIKE %? || '%%'", sql(c:startswith("x")))
    end)

    it("errors in them leave the next call alone", function()
      local kind = ag.TypeDecorator{impl = ag.Text, comparator_factory = {eq = function(self, other)
        if other == "bad" then error("refused", 0) end
        return self:eq(other .. "?")
      end}}
      local c = ag.column("v", kind)
      assert.matches("refused", message(c.eq, c, "bad"))
      assert.equal("v = ?", sql(c:eq("x")))
    end)

    it("is inherited by a decorator, works on table columns and in queries", function()
      local conn <close>, t = table_of(ag.TypeDecorator{impl = Tags, cache_ok = true})
      conn:execute(ag.insert(t), {{id = 1, v = ",a,b,"}, {id = 2, v = ",c,"}})
      assert.same({2}, conn:scalars(ag.select(t.c.id):where(t.c.v:has_tag("c"))):all())
      assert.same({1}, conn:scalars(ag.select(t.c.id):where(t.c.v:eq(",A,B,"))):all())
    end)
  end)

  describe("coerce_compared_value", function()
    it("says what is beside an expression", function()
      local asked = {}
      local kind = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
        process_bind_param = function(_, value) return "<" .. value .. ">" end,
        coerce_compared_value = function(_, op, value)
          asked[#asked + 1] = op
          return type(value) == "number" and ag.Integer or nil
        end}
      local conn <close> = (table_of(kind))
      local c = ag.literal("x", kind)
      local row = conn:execute(ag.select(c:eq("x"):label("a"), c:op("||")("y"):label("b"))):one()
      assert.is_true(row.a == true or row.a == 1)
      assert.equal("<x><y>", row.b)
      assert.same({"eq", "op"}, asked)
    end)

    it("must give a type", function()
      local kind = ag.TypeDecorator{impl = ag.Text, coerce_compared_value = function() return "Integer" end}
      assert.matches("instead of a type", message(function() return ag.column("v", kind):eq(5) end))
    end)
  end)

  it("have the attributes of the type that they decorate", function()
    local function decorate(kind) return ag.TypeDecorator{impl = kind, cache_ok = true} end
    assert.equal(50, decorate(ag.String(50, {collation = "C"})).length)
    assert.equal("C", decorate(decorate(ag.String(50, {collation = "C"}))).collation)
    assert.same({"a", "b"}, decorate(ag.Enum{"a", "b"}).enums)
    assert.is_true(decorate(ag.DateTime{timezone = true}).timezone)
    assert.same({10, 2}, {decorate(ag.Numeric(10, 2)).precision, decorate(ag.Numeric(10, 2)).scale})
    assert.equal(ag.Integer, decorate(ag.ARRAY(ag.Integer)).item_type)
    assert.equal(ag.ARRAY(ag.Integer), decorate(ag.ARRAY(ag.Integer)).impl)
    assert.is_true(decorate(ag.Integer).cache_ok)
  end)

  describe("coerce_to_is_types", function()
    local function decorated(list) return ag.column("x", ag.TypeDecorator{impl = ag.Boolean, cache_ok = true, coerce_to_is_types = list}) end
    local function pg_sql(e) return e:compile{dialect = "postgresql"}.string end

    it("says what eq and ne write as a constant: NULL, unless it is given", function()
      assert.equal("x IS NULL", pg_sql(decorated():eq(ag.null)))
      assert.equal("x != $1", pg_sql(decorated():ne(true)))
      assert.equal("x IS DISTINCT FROM $1", pg_sql(decorated():is_distinct_from(false)))
      assert.equal("x IS true", pg_sql(decorated():is_(true)))
      assert.equal("x = $1", pg_sql(decorated{}:eq(ag.null)))
      assert.equal("x = $1", pg_sql(decorated{}:eq(true)))
      assert.equal("x = true", pg_sql(decorated{"boolean"}:eq(true)))
      assert.equal("x = $1", pg_sql(decorated{"boolean"}:eq(ag.null)))
      assert.equal("x IS NOT NULL", pg_sql(decorated{"nil", "boolean"}:ne(ag.null)))
    end)

    it("leaves booleans to the functions of the type", function()
      local turned = ag.TypeDecorator{impl = ag.Boolean, cache_ok = true,
        process_bind_param = function(_, value) if value ~= nil then return not value end end,
        process_result_value = function(_, value) if value ~= nil then return not value end end}
      local conn <close>, t = table_of(turned)
      conn:execute(t:insert(), {{id = 1, v = true}, {id = 2, v = false}, {id = 3, v = ag.null}})
      assert.same({1}, conn:scalars(ag.select(t.c.id):where(t.c.v:eq(true))):all())
      assert.same({1}, conn:scalars(ag.select(t.c.id):where(t.c.v:ne(false))):all())
      assert.same({3}, conn:scalars(ag.select(t.c.id):where(t.c.v:eq(ag.null))):all())
    end)

    it("comes before coerce_compared_value", function()
      local c = ag.column("x", ag.TypeDecorator{impl = ag.Text, coerce_compared_value = function(self) return self end})
      assert.equal("x IS NULL", pg_sql(c:eq(ag.null)))
    end)

    it("is a list of two names", function()
      for _, wrong in ipairs{"nil", {"null"}, {true}} do
        assert.matches("coerce_to_is_types", message(function() decorated(wrong) end))
      end
    end)
  end)

  describe("UserDefinedType", function()
    it("is a type of its own name", function()
      local kind = ag.UserDefinedType{get_col_spec = function() return "VARCHAR(30)" end, cache_ok = true,
        bind_processor = function() return function(value) return value and value .. "!" end end,
        process_result_value = function(_, value) return value and value:sub(1, -2) end,
        comparator_factory = {shout = function(self) return ag.func.upper(self) end}}
      local conn <close>, t = table_of(kind)
      conn:execute(ag.insert(t):values{id = 1, v = "hi"})
      assert.equal("hi!", conn:scalar(ag.text "SELECT v FROM t"))
      assert.equal("hi", conn:scalar(ag.select(t.c.v)))
      assert.equal("HI!", conn:scalar(ag.select(t.c.v:shout())))
      assert.equal("VARCHAR(30)", kind.name)
    end)
  end)

  describe("variants", function()
    it("have their own functions", function()
      local loud = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
        process_bind_param = function(_, value) return value:upper() end, process_result_value = function(_, value) return value .. "!" end}
      local conn <close>, t = table_of(ag.String(20):with_variant(loud, db.dialect))
      conn:execute(ag.insert(t):values{id = 1, v = "hi"})
      assert.equal("HI", conn:scalar(ag.text "SELECT v FROM t"))
      assert.equal("HI!", conn:scalar(ag.select(t.c.v)))
    end)
  end)

  describe("options", function()
    it("that are not known or of the wrong kind raise", function()
      assert.matches("process_bind_param", message(ag.TypeDecorator, {impl = ag.Text, process_bind_parm = print}))
      assert.matches("expected a function", message(ag.TypeDecorator, {impl = ag.Text, bind_processor = 5}))
      assert.matches("a table of functions", message(ag.TypeDecorator, {impl = ag.Text, comparator_factory = 5}))
      assert.matches("has both", message(ag.TypeDecorator, {impl = ag.Text, bind_processor = print, process_bind_param = print}))
      assert.matches("coerce_compared_value", message(ag.TypeDecorator, {impl = ag.Text, coerce_compared_value = 5}))
    end)
  end)
end)

describe("as_generic", function()
  it("gives the generic type of a vendor's type", function()
    local pg = ag.postgresql
    assert.equal(ag.Integer, ag.INTEGER:as_generic())
    assert.equal(ag.BigInteger, ag.BIGINT:as_generic())
    assert.equal(ag.String(5), ag.VARCHAR(5):as_generic())
    assert.equal(ag.String(5, {collation = "C"}), ag.VARCHAR(5, {collation = "C"}):as_generic())
    assert.equal(ag.Numeric(10, 2), ag.DECIMAL(10, 2):as_generic())
    assert.equal(ag.Float, ag.REAL:as_generic())
    assert.equal(ag.Double, ag.DOUBLE_PRECISION:as_generic())
    assert.equal(ag.DateTime{timezone = true}, ag.TIMESTAMP{timezone = true}:as_generic())
    assert.equal(ag.LargeBinary, pg.BYTEA:as_generic())
    assert.equal(ag.JSON, pg.JSONB:as_generic())
    assert.equal(ag.Interval, pg.INTERVAL:as_generic())
    assert.equal(ag.Uuid, ag.UUID:as_generic())
    assert.equal(ag.Text, pg.CITEXT:as_generic())
    assert.equal(ag.LargeBinary, ag.BLOB:as_generic())
    assert.equal(ag.Integer, ag.Integer:as_generic())
  end)

  it("refuses types that have none, unless NullType will do", function()
    local pg = ag.postgresql
    assert.matches("INET has no generic type", message(pg.INET.as_generic, pg.INET))
    assert.equal(ag.NullType, pg.INET:as_generic{allow_nulltype = true})
    assert.matches("no generic type", message(pg.BIT(3).as_generic, pg.BIT(3)))
  end)
end)

describe("evaluates_none", function()
  it("marks a type whose NULL is written", function()
    assert.is_false(ag.Text.should_evaluate_none)
    assert.is_true(ag.Text:evaluates_none().should_evaluate_none)
    assert.is_true(ag.JSON.should_evaluate_none)
    assert.is_false(ag.JSON{none_as_null = true}.should_evaluate_none)
  end)
end)

describe("a domain that is not NULL", function()
  it("has no hooks of a decorator", function()
    local domain = ag.postgresql.DOMAIN("positive", ag.Integer, {not_null = true})
    assert.equal("v = $1", ag.column("v", domain):eq(5):compile{dialect = "postgresql"}.string)
  end)
end)

describe("self in a type's functions", function()
  it("stands for the type wherever a type may stand", function()
    local geometry = ag.UserDefinedType{cache_ok = true, get_col_spec = function() return "GEOMETRY" end,
      bind_expression = function(self, bind) return ag.func.ST_GeomFromText(bind, {type = self}) end,
      column_expression = function(self, column) return ag.func.ST_AsText(column, {type = self}) end}
    local places = ag.Table("places", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("shape", geometry)})
    local function text_of(stmt) return (stmt:compile{dialect = "postgresql"}.string:gsub("%s+", " ")) end
    assert.equal("SELECT places.id, ST_AsText(places.shape) AS shape FROM places WHERE places.shape = ST_GeomFromText($1)",
      text_of(ag.select(places):where(places.c.shape:eq("POINT(1 2)"))))
    assert.equal("SELECT q.id, ST_AsText(q.shape) AS shape FROM places AS q", text_of(ag.select(places:alias("q"))))
    assert.equal("UPDATE places SET shape=ST_GeomFromText($1)", text_of(ag.update(places):values{shape = "x"}))
    local seen
    local coerced = ag.TypeDecorator{impl = ag.Text, cache_ok = true, load_dialect_impl = function(self) return self.impl end,
      bind_expression = function(self, bind) seen = ag.cast(bind, self).type; return ag.type_coerce(bind, self) end}
    assert.equal("x = $1", text_of(ag.column("x", coerced):eq("a")))
    assert.equal(coerced, seen)
  end)

  it("is no type outside of what makes one", function()
    assert.matches("expected a type", message(ag.cast, 1, {impl = ag.Text}))
  end)
end)
