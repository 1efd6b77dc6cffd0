--- Every type with its extremes: what is stored comes back equal, or storing it raises an error that names the column. Nothing
--- is changed silently.
local ag = require "argent"
local db = require "spec.support.db"

local big = 9007199254740993 -- 2^53 + 1

local function same(a, b)
  if a ~= a then return b ~= b end
  if type(a) == "table" and type(b) == "table" then
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
  end
  return a == b and math.type(a) == math.type(b)
end

--- {what, type, values that come back, values that are refused on SQLite and PostgreSQL, options}
local cases = {
  {"Integer", ag.Integer, {0, 1, -1, 2147483647, -2147483648}, {1.5, "1", true, "x", {}}},
  {"SmallInteger", ag.SmallInteger, {0, 32767, -32768}, {0.5, "3"}},
  {"BigInteger", ag.BigInteger, {0, math.maxinteger, math.mininteger, big, -big}, {2 ^ 63, 0 / 0, 1.25, "9"}},
  {"Float", ag.Float, {0.0, -0.0, 0.1, 1e308, 5e-324, -1.7976931348623157e308, 1 / 3, 2.0 ^ 53}, {"1.5", true, {}}},
  {"Double", ag.Double, {0.1, 1e-300, 123456789.123456789}, {"x"}},
  {"Numeric", ag.Numeric(15, 4), {ag.decimal "0", ag.decimal "1.5000", ag.decimal "-99999999.9999", ag.decimal "0.0001"},
    {0.1, "1.5", true}},
  {"Numeric exact", ag.Numeric(38, 10, {sqlite_text = true}), {
    ag.decimal "12345678901234567890.1234567891", ag.decimal "-0.0000000001", ag.decimal "9999999999999999999999999999.9999999999",
  }, {0.5}},
  {"String", ag.String(300), {"", "x", "né\u{1F600}\u{10FFFF}", "'; --", "%_\\", ("y"):rep(300), " \t\r\n "}, {"a\0b", "\xff\xfe", 5, true, {}}},
  {"Text", ag.Text, {"", ("long "):rep(100000), "\u{FEFF}bom", "\u{1}"}, {"\xed\xa0\x80", "\0", 1.5}},
  {"Unicode", ag.Unicode(20), {"ß→"}, {12}},
  {"Boolean", ag.Boolean, {true, false}, {1, 0, "true", {}}},
  {"LargeBinary", ag.LargeBinary, {"", "\0", "\xff\xfe\0\1", ("\0\1\2\255"):rep(50000)}, {5, true, {}}},
  {"Date", ag.Date, {ag.date "0001-01-01", ag.date "9999-12-31", ag.date "2024-02-29", ag.date "1969-12-31"}, {"2024-01-05", 5, true}},
  {"Time", ag.Time, {ag.time "00:00:00", ag.time "23:59:59.999999", ag.time "12:00:00.000001"}, {"10:00", 3}},
  {"DateTime", ag.DateTime, {ag.datetime "0001-01-01 00:00:00", ag.datetime "9999-12-31 23:59:59.999999",
    ag.datetime "1969-12-31 23:59:59.999999", ag.datetime "2024-02-29 12:00:00"}, {"2024-01-05 10:00:00", 0,
    ag.datetime "2024-01-05 10:00:00+02:00"}},
  {"DateTime zoned", ag.DateTime{timezone = true}, {ag.datetime "2024-01-05 10:00:00+00:00", ag.datetime "1970-01-01 00:00:00.000001+00:00",
    ag.datetime "2024-01-05 10:00:00+02:00"}, {ag.datetime "2024-01-05 10:00:00", "2024-01-05 10:00:00+00"}},
  {"Interval", ag.Interval, {ag.interval{days = 1}, ag.interval{microseconds = 1}, ag.interval{days = -3, seconds = 5},
    ag.interval{days = 100000}}, {5, "1 day"}},
  {"JSON", ag.JSON, {{a = 1, b = {1, 2, 3}, c = "x"}, {1, 2, {x = true}}, "text", 5, 1.5, true, false, {n = math.maxinteger},
    {deep = {{{{{{1}}}}}}}, ""}, {0 / 0, {[1] = 1, [3] = 3}, {1, x = 2}, print}},
  {"Uuid", ag.Uuid, {"12345678-1234-5678-1234-567812345678", "00000000-0000-0000-0000-000000000000"}, {"nonsense", 5, "", {}}},
  {"Enum", ag.Enum({"red", "green", "with 'quote"}, {name = "color", validate_strings = true}), {"red", "with 'quote"}, {"blue", "", 1, true}},
  {"TypeDecorator", ag.TypeDecorator{
    impl = ag.Text, cache_ok = true,
    process_bind_param = function(_, value) return value and "<" .. value.inside .. ">" end,
    process_result_value = function(_, value) return value and {inside = value:sub(2, -2)} end,
  }, {{inside = "x"}, {inside = ""}}, {}},
}

if db.postgresql then
  local pg = ag.postgresql
  cases[#cases + 1] = {"ARRAY", ag.ARRAY(ag.Integer), {{1, 2, 3}, {}, {-2147483648}}, {{"x"}, {1.5}, 5}}
  cases[#cases + 1] = {"ARRAY of Text", ag.ARRAY(ag.Text), {{"a", "", "NULL", 'quo"te', "com,ma", "back\\slash", "{brace}"}}, {{1}, "x"}}
  cases[#cases + 1] = {"JSONB", pg.JSONB, {{a = {b = {1, 2}}}, {1, 2}}, {0 / 0}}
end

local function show(v)
  if type(v) == "string" then return ("%q"):format(v:sub(1, 40)) end
  return tostring(v)
end

describe("types", function()
  after_each(db.cleanup)

  for _, case in ipairs(cases) do
    local what, kind, good, bad = table.unpack(case)

    describe(what, function()
      local engine, t, conn
      before_each(function()
        engine = db.engine()
        local metadata = ag.MetaData()
        t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("the_value", kind)})
        metadata:create_all(engine)
        conn = engine:connect()
      end)
      after_each(function() conn:close() end)

      it("gives back what it was given", function()
        for i, value in ipairs(good) do
          conn:execute(ag.insert(t):values{id = i, the_value = value})
          local back = conn:scalar(ag.select(t.c.the_value):where(t.c.id:eq(i)))
          assert(same(value, back), ("%s came back as %s"):format(show(value), show(back)))
        end
      end)

      it("gives back what it was given in a list", function()
        if #good == 0 then return assert.equal(0, #good) end
        local rows = {}
        for i, value in ipairs(good) do rows[i] = {id = i, the_value = value} end
        conn:execute(ag.insert(t), rows)
        local list = conn:execute(ag.select(t.c.the_value):order_by(t.c.id)):all()
        for i, value in ipairs(good) do
          assert(same(value, list[i].the_value), ("%s came back as %s"):format(show(value), show(list[i].the_value)))
        end
      end)

      it("gives back NULL", function()
        conn:execute(ag.insert(t):values{id = 1, the_value = ag.null_()})
        assert.is_nil(conn:scalar(ag.select(t.c.the_value)))
        assert.equal(1, conn:scalar(ag.select(t.c.id):where(t.c.the_value:is_(nil))))
      end)

      it("refuses what it cannot keep, and names the column", function()
        for _, value in ipairs(bad) do
          local ok, e = ag.try(function()
            conn:execute(ag.insert(t):values{id = 1, the_value = value})
            return true
          end)
          assert(not ok, show(value) .. " was taken")
          assert(e:is(ag.exc.Error), tostring(e))
          assert(tostring(e):find("the_value", 1, true), "no column in: " .. tostring(e))
          conn:rollback()
        end
        assert.equal(0, conn:scalar(ag.select(ag.func.count()):select_from(t)))
      end)
    end)
  end

  it("refuses a long decimal where the database would round it", function()
    local engine = db.engine()
    local metadata = ag.MetaData()
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("price", ag.Numeric(30, 10))})
    metadata:create_all(engine)
    local conn <close> = engine:connect()
    local value = ag.decimal "12345678901234567890.1234567891"
    local ok, e = ag.try(function()
      conn:execute(ag.insert(t):values{id = 1, price = value})
      return true
    end)
    if ok then
      assert.equal(value, conn:scalar(ag.select(t.c.price)))
    else
      assert.is_true(e:is(ag.exc.DataError))
      assert.matches("price", tostring(e))
    end
  end)
end)
