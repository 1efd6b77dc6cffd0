--- Options of types: what they say of themselves, what their values become, and what is refused as bound value and as literal alike.
local ag = require "argent"
local db = require "spec.support.db"
local pg, sq = ag.postgresql, ag.sqlite

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end

describe("types as text", function()
  local rows = {
    {ag.Enum({"x", "y"}, {length = 20}), 'Enum({"x", "y"}, {length = 20})'},
    {ag.Enum({"x", "y"}, {name = "n", schema = "s"}), 'Enum({"x", "y"}, {name = "n", schema = "s"})'},
    {ag.Interval{second_precision = 5}, "Interval({second_precision = 5})"},
    {pg.INTERVAL{precision = 3, fields = "DAY"}, 'INTERVAL({precision = 3, fields = "DAY"})'},
    {ag.Float(5, {decimal_return_scale = 3, asdecimal = true}), "Float(5, {decimal_return_scale = 3, asdecimal = true})"},
    {ag.Numeric(10, 2, {decimal_return_scale = 5}), "Numeric(10, 2, {decimal_return_scale = 5})"},
    {pg.DOMAIN("d", ag.String(5), {schema = "s"}), 'DOMAIN("d", String(5), {schema = "s"})'},
    {sq.DATETIME{truncate_microseconds = true}, "DATETIME({truncate_microseconds = true})"},
    {ag.Integer():with_variant(ag.String(5), "sqlite"), 'Integer():with_variant(String(5), "sqlite")'},
    {ag.String(9):with_variant(ag.Text, "sqlite", "postgresql"), 'String(9):with_variant(Text, "sqlite"):with_variant(Text, "postgresql")'},
  }
  it("are what their user would write", function()
    for _, row in ipairs(rows) do assert.equal(row[2], tostring(row[1])) end
  end)

  it("have their options as fields", function()
    local e = ag.Enum({"a", "bcd"}, {native_enum = false})
    assert.same({3, false, "a"}, {e.length, e.native_enum, e.enums[1]})
    assert.is_nil(ag.Integer.native_enum)
    assert.is_true(ag.Uuid.native_uuid)
    assert.equal(5, ag.Interval{second_precision = 5}.second_precision)
    assert.equal("DAY", pg.INTERVAL{fields = "DAY"}.fields)
    assert.equal(4, ag.Float{decimal_return_scale = 4}.decimal_return_scale)
    assert.equal(ag.String(5), pg.DOMAIN("d", ag.String(5)).data_type)
  end)
end)

describe("texts out of JSON and HSTORE", function()
  it("have the type that is asked for", function()
    local short = ag.String(5)
    for _, make in ipairs{ag.JSON, pg.JSON, pg.JSONB} do
      local j = ag.column("j", make{astext_type = short})
      assert.equal(short, j:at("a").astext.type)
      assert.equal(short, j:at{"a", "b"}.astext.type)
      assert.equal(short, j:at("a"):at("b").astext.type)
      assert.equal(make{astext_type = short}, j:at("a").type)
    end
    assert.equal(ag.Text, ag.column("j", ag.JSON):at("a").astext.type)
    assert.equal(short, ag.column("h", pg.HSTORE{text_type = short}):at("a").type)
    assert.equal(ag.Text, ag.column("h", pg.HSTORE):at("a").type)
    assert.equal("HSTORE({text_type = String(5)})", tostring(pg.HSTORE{text_type = short}))
    assert.equal("JSONB({astext_type = String(5)})", tostring(pg.JSONB{astext_type = short}))
    assert.equal(ag.Text, pg.JSON.astext_type)
    assert.matches("expected a type", message(pg.HSTORE, {text_type = "Text"}))
  end)
end)

describe("the length of an Enum", function()
  it("is that of its longest label, another one, or none", function()
    local function sql(options)
      options.native_enum = false
      return ag.cast(ag.column("x"), ag.Enum({"a", "méi"}, options)):compile{dialect = "postgresql"}.string
    end
    assert.equal("CAST(x AS VARCHAR(3))", sql{})
    assert.equal("CAST(x AS VARCHAR(20))", sql{length = 20})
    assert.equal("CAST(x AS VARCHAR)", sql{length = ag.null})
    assert.matches("length 2 is shorter than the longest label %(3%)", message(sql, {length = 2}))
  end)
end)

describe("literals", function()
  local function literal(value, kind)
    return ag.literal(value, kind):compile{dialect = db.dialect, literal_binds = true}.string
  end
  local refused = {
    {5, ag.Text, "takes text, not an integer %(5%)"}, {"x", ag.Integer, 'takes an integer, not text %("x"%)'},
    {1.5, ag.Integer, "takes an integer"}, {40000, ag.SmallInteger, "from %-32768 to 32767"},
    {1.5, ag.Numeric(10, 2), "takes a decimal or an integer"}, {1, ag.Boolean, "takes true or false"},
    {"2024-01-01", ag.Date, "takes a date"}, {ag.datetime "2024-01-01 00:00:00Z", ag.DateTime, "without a time zone"},
    {"xyz", ag.Uuid, "takes a UUID"}, {"\xff", ag.Text, "valid UTF%-8"}, {5, ag.Enum{"a"}, "takes text"},
    {"b", ag.Enum({"a"}, {validate_strings = true}), 'takes one of a, not text %("b"%)'},
  }

  it("are checked as bound values are", function()
    for _, row in ipairs(refused) do assert.matches(row[3], message(literal, row[1], row[2])) end
    assert.equal("'b'", literal("b", ag.Enum{"a"}))
    assert.equal(literal(1.0, ag.Float), literal(1, ag.Float))
    assert.equal(literal(ag.datetime "2024-01-02 00:00:00", ag.DateTime), literal(ag.date "2024-01-02", ag.DateTime))
  end)

  it("of a statement's parameters too", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    assert.equal(5, conn:scalar(ag.select(ag.literal(5, {type = ag.Integer, literal_execute = true}))))
    assert.matches("takes an integer", message(conn.scalar, conn, ag.select(ag.literal("5", {type = ag.Integer, literal_execute = true}))))
    conn:rollback()
    db.cleanup()
  end)
end)

describe("decimals of floats", function()
  after_each(db.cleanup)

  it("have decimal_return_scale digits", function()
    local conn <close> = db.engine():connect()
    local rows = {{nil, "45.7392183"}, {0, "46"}, {3, "45.739"}, {5, "45.73922"}, {10, "45.7392183000"}}
    for _, row in ipairs(rows) do
      local kind = ag.Float{asdecimal = true, decimal_return_scale = row[1]}
      assert.equal(row[2], tostring(conn:scalar(ag.select(ag.cast(ag.literal(45.7392183), kind)))))
    end
    assert.matches("expected an integer from 0 to 1000", message(ag.Float, {decimal_return_scale = -1}))
  end)

  it("have the scale of their Numeric on SQLite, which computes with floats, and lose no exact digit", db.sqlite and function()
    local conn <close> = db.engine():connect()
    local rows = {
      {"0.1 + 0.2", ag.Numeric(10, 2), "0.30"}, {"0.1 + 0.2", ag.Numeric(10), "0.30000000000000004"}, {"1.5", ag.Numeric(10, 2), "1.50"},
      {"1.23456789", ag.Numeric(10, 2, {decimal_return_scale = 5}), "1.23457"}, {"7", ag.Numeric(10, 2), "7.00"},
      {"-0.001", ag.Numeric(10, 2), "-0.001"}, {"-0.001", ag.Numeric(10, 2, {decimal_return_scale = 2}), "0.00"},
      {"1e300", ag.Numeric(10, 0), "1" .. ("0"):rep(300)}, {"1e-30", ag.Numeric(10, 4), "0." .. ("0"):rep(29) .. "1"},
      {"1.0 / 3", ag.Numeric(10, 4), "0.3333"}, {"1.23456789", ag.Numeric(10, 2), "1.23456789"},
      {"'1.23456789'", ag.Numeric(10, 2), "1.23456789"},
    }
    for _, row in ipairs(rows) do
      assert.equal(row[3], tostring(conn:scalar(ag.select(ag.literal_column(row[1], row[2])))))
    end
    local t = ag.Table("t", ag.MetaData(), {ag.Column("price", ag.Numeric(10, 2))})
    t:create(conn)
    conn:execute(ag.insert(t), {{price = ag.decimal "0.10"}, {price = ag.decimal "0.20"}})
    assert.equal("0.30", tostring(conn:scalar(ag.select(ag.func.sum(t.c.price)))))
  end or function() pending "PostgreSQL computes with decimals" end)
end)
