--- Arrays whose items are more than a plain type: variants, decorators that are another type on each database, domains, JSON.
local ag = require "argent"
local db = require "spec.support.db"
local pg = ag.postgresql

local function ddl(kind)
  local t = ag.Table("t", ag.MetaData(), {ag.Column("v", kind)})
  return ag.CreateTable(t):compile{dialect = "postgresql"}.string:match("v (.-)%s*%)%s*$")
end

--- Ids of twelve digits that the database knows as UUIDs where it can.
local Short = ag.TypeDecorator{impl = ag.CHAR(12), cache_ok = true,
  load_dialect_impl = function(_, dialect) return dialect.name == "postgresql" and pg.UUID or ag.CHAR(12) end,
  process_bind_param = function(_, value, dialect)
    return value and (dialect.name == "postgresql" and "0d9ff0a2-0c2c-4a2b-8d1c-" or "") .. value
  end,
  process_result_value = function(_, value) return value and value:sub(-12) end}

local function same(a, b)
  local meta = type(a) == "table" and getmetatable(a)
  if type(a) ~= "table" or meta and meta.__eq then return a == b end
  if type(b) ~= "table" or #a ~= #b then return false end
  for key, value in pairs(a) do if not same(value, b[key]) then return false end end
  return true
end

describe("arrays of types with variants", function()
  after_each(db.cleanup)

  it("are arrays of the variant on its database", function()
    assert.equal("UUID[]", ddl(ag.ARRAY(Short)))
    assert.equal("INTERVAL[][]", ddl(ag.ARRAY(ag.String(5):with_variant(pg.INTERVAL, "postgresql"), {dimensions = 2})))
    assert.equal("VARCHAR(5)[]", ddl(ag.ARRAY(ag.String(5):with_variant(ag.Integer, "sqlite"))))
    assert.equal("TEXT[]", ddl(ag.ARRAY(ag.String(5):with_variant(ag.Integer:with_variant(ag.Text, "postgresql"), "postgresql"))))
  end)

  it("may have variants themselves", function()
    local item = ag.String(5):with_variant(ag.Integer, "postgresql")
    assert.equal("INTEGER[]", ddl(ag.ARRAY(item):with_variant(ag.JSON, "sqlite")))
    assert.equal("JSON", ddl(ag.ARRAY(item):with_variant(ag.JSON, "postgresql")))
    assert.equal(ag.ARRAY(item), ag.ARRAY(item))
    assert.equal(item, ag.ARRAY(item).item_type)
  end)

  local range = pg.Range
  local kinds = {
    {"a decorator of two types", Short, "111111111111", "222222222222"},
    {"an interval", ag.String(9):with_variant(pg.INTERVAL, "postgresql"), ag.interval{days = 1}, ag.interval{hours = 3}},
    {"bytes", ag.String(9):with_variant(ag.LargeBinary, "postgresql"), "\0\1", "x"},
    {"a decimal", ag.String(9):with_variant(ag.Numeric(10, 2), "postgresql"), ag.decimal "1.50", ag.decimal "-2.25"},
    {"a range", ag.String(9):with_variant(pg.INT4RANGE, "postgresql"), range(1, 5), range(2, nil)},
    {"JSON", ag.String(9):with_variant(pg.JSONB, "postgresql"), {a = 1}, {1, 2}},
    {"labels", ag.String(9):with_variant(pg.ENUM({"one", "two"}, {name = "array_label"}), "postgresql"), "one", "two"},
    {"a decorated variant", ag.TypeDecorator{impl = ag.String(9):with_variant(ag.Integer, "postgresql"), cache_ok = true,
      process_bind_param = function(_, value) return value and tonumber(value) end,
      process_result_value = function(_, value) return value and tostring(value) end}, "5", "-7"},
  }
  for _, kind in ipairs(kinds) do
    local name, item, a, b = table.unpack(kind)
    it("keep values: " .. name, function()
      if not db.postgresql then return assert.equal("VARCHAR(9)[]", ddl(ag.ARRAY(ag.String(9)))) end
      local conn <close> = db.engine():connect()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("s", item), ag.Column("v", ag.ARRAY(item))})
      metadata:create_all(conn)
      local values = {{a, b}, {b, ag.null, a}, {}, {b}}
      local rows = {}
      for i, value in ipairs(values) do rows[i] = {id = i, s = i % 2 == 0 and a or b, v = value} end
      conn:execute(t:insert(), rows)
      for _, row in ipairs(rows) do conn:execute(t:insert(), {id = row.id + 10, s = row.s, v = row.v}) end
      for i, value in ipairs(values) do
        conn:execute(t:insert():values{id = i + 20, s = a, v = ag.literal(value, {type = t.c.v.type, literal_execute = true})})
        for more = 0, 20, 10 do
          local got = conn:scalar(ag.select(t.c.v):where(t.c.id:eq(i + more)))
          assert(same(value, got), ("value %d"):format(i + more))
        end
      end
      assert(same(b, conn:scalar(ag.select(t.c.s):where(t.c.id:eq(1)))))
      assert(same({b, a}, conn:scalar(ag.select(ag.func.array_agg(t.c.s)):where(t.c.id:le(2)))))
      assert(same(a, conn:scalar(ag.select(t.c.v:at(1)):where(t.c.id:eq(1)))))
      assert(same({{a, b}}, conn:scalars(ag.update(t):values{v = {a, b}}:where(t.c.id:eq(3)):returning(t.c.v)):all()))
      if name ~= "JSON" then
        assert.same({3}, conn:scalars(ag.select(t.c.id):where(t.c.v:eq{a, b}, t.c.id:between(2, 10))):all())
        assert.same({1, 2, 3}, conn:scalars(ag.select(t.c.id):where(ag.any_(t.c.v):eq(a), t.c.id:le(4)):order_by(t.c.id)):all())
        assert.same({1, 3, 4}, conn:scalars(ag.select(t.c.id):where(t.c.v:in_{{a, b}, {b}}, t.c.id:le(4)):order_by(t.c.id)):all())
      end
    end)
  end
end)

describe("arrays of JSON", function()
  after_each(db.cleanup)

  it("keep NULL as JSON's null, as columns do, unless none_as_null", function()
    if not db.postgresql then return assert.equal("JSON[]", ddl(ag.ARRAY(ag.JSON))) end
    local conn <close> = db.engine():connect()
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("j", ag.ARRAY(ag.JSON)), ag.Column("n", ag.ARRAY(ag.JSON{none_as_null = true}))})
    t:create(conn)
    conn:execute(t:insert(), {id = 1, j = {ag.null, 42}, n = {ag.null, ag.JSON.NULL}})
    conn:execute(t:insert():values{id = 2, j = ag.literal({ag.null}, {type = t.c.j.type, literal_execute = true}), n = {}})
    assert.same({"{\"null\",42}", "{\"null\"}"}, conn:scalars(ag.select(ag.cast(t.c.j, ag.Text)):order_by(t.c.id)):all())
    assert.equal("{NULL,\"null\"}", conn:scalar(ag.select(ag.cast(t.c.n, ag.Text)):where(t.c.id:eq(1))))
    assert.same({ag.null, 42}, conn:scalar(ag.select(t.c.j):where(t.c.id:eq(1))))
  end)

  it("take tables as items, also in domains", function()
    if not db.postgresql then return assert.equal("words[]", ddl(ag.ARRAY(pg.DOMAIN("words", ag.Text)))) end
    local conn <close> = db.engine():connect()
    conn:exec_driver_sql("CREATE EXTENSION hstore")
    local metadata = ag.MetaData()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("j", ag.ARRAY(pg.DOMAIN("doc", ag.JSON))), ag.Column("h", ag.ARRAY(pg.DOMAIN("pairs", pg.HSTORE)))})
    metadata:create_all(conn)
    conn:execute(t:insert(), {j = {{1, 2}, {a = 1}}, h = {{a = "1"}, {b = "2"}, ag.null}})
    local row = conn:execute(ag.select(t.c.j, t.c.h)):one()
    assert.same({1, {a = 1}}, {row.j[1][1], row.j[2]})
    assert.same({{a = "1"}, {b = "2"}, ag.null}, row.h)
  end)
end)

describe("labels of an ENUM among other values", function()
  after_each(db.cleanup)
  local function sql(e) return (e:compile{dialect = "postgresql"}.string:gsub("%s+", " ")) end

  for what, wrap in pairs{plain = function(t) return t end, decorated = function(t) return ag.TypeDecorator{impl = t, cache_ok = true} end,
                          variant = function(t) return ag.String(9):with_variant(t, "postgresql") end,
                          domain = function(t) return pg.DOMAIN("grade_of", t) end} do
    local grade = wrap(pg.ENUM({"low", "high"}, {name = "grade"}))
    local name = what == "domain" and "grade_of" or "grade"

    it("are told as such in VALUES and ARRAY: " .. what, function()
      local v = ag.values(ag.column("g", grade), ag.column("n", ag.Integer), {name = "v"}):data{{"low", 1}, {"high", 2}}
      assert.equal(("SELECT v.g FROM (VALUES ($1::%s, $2), ($3::%s, $4)) AS v (g, n)"):format(name, name), sql(ag.select(v.c.g)))
      assert.equal(("ARRAY[$1::%s]"):format(name), sql(pg.array{ag.literal("low", grade)}))
      assert.equal("ARRAY[c, $1]", sql(pg.array{ag.column("c", grade), "low"}))
    end)

    it("are compared, listed and joined to arrays: " .. what, function()
      if not db.postgresql then return assert.equal("CAST(NULL AS " .. name .. ")", sql(ag.cast(ag.null, grade))) end
      local conn <close> = db.engine():connect()
      local metadata = ag.MetaData()
      if what == "domain" then pg.ENUM({"low", "high"}, {name = "grade"}):create(conn) end
      local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("g", grade), ag.Column("a", ag.ARRAY(grade))})
      metadata:create_all(conn)
      conn:execute(t:insert(), {{id = 1, g = "low", a = {"low", "high"}}, {id = 2, g = "high", a = {}}, {id = 3, g = ag.null, a = ag.null}})
      local many = {}
      for i = 1, 1200 do many[i] = i % 2 == 0 and "low" or "high" end
      local function ids(where) return conn:scalars(ag.select(t.c.id):where(where):order_by(t.c.id)):all() end
      assert.same({1}, ids(t.c.a:eq(pg.array{ag.literal("low", grade), ag.literal("high", grade)})))
      assert.same({2}, ids(t.c.a:in_{{}, {"high"}}))
      local v = ag.values(ag.column("g", grade), {name = "v"}):data{{"low"}, {"low"}}
      if what ~= "domain" then -- PostgreSQL has no operators for domains of ENUMs
        assert.same({1, 2}, ids(t.c.g:in_(many)))
        assert.same({3}, ids(t.c.g:is_(nil) | (t.c.g:not_in(many))))
        assert.equal(2, #conn:execute(ag.select(t.c.id):join_from(t, v, t.c.g:eq(v.c.g))):all())
      end
      assert.same({"low", "high", "high"}, conn:scalar(ag.select(t.c.a + pg.array{ag.literal("high", grade)}):where(t.c.id:eq(1))))
      assert.same({"low", "high"}, conn:scalar(ag.select(pg.array{t.c.g, "high"}):where(t.c.id:eq(1))))
      assert.same({"low", "high", "high"}, conn:scalars(ag.select(ag.case({t.c.id:eq(1), t.c.g}, {else_ = "high"})):order_by(t.c.id)):all())
    end)
  end
end)
