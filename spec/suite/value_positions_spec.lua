--- Values of each type in every place where a statement takes or gives them: they come back as they were given.
local ag = require "argent"
local db = require "spec.support.db"
local pg, sq = ag.postgresql, ag.sqlite

local function decorate(impl, bind, result)
  return ag.TypeDecorator{impl = impl, cache_ok = true,
    process_bind_param = function(_, v, dialect) if v ~= nil then return bind(v, dialect) end end,
    process_result_value = function(_, v, dialect) if v ~= nil then return result(v, dialect) end end}
end

local uuid = "0d9ff0a2-0c2c-4a2b-8d1c-11111111111"
local digits = decorate(ag.String(30):with_variant(ag.Numeric(20, 4), "postgresql"),
  function(v, dialect) return dialect.name == "sqlite" and ("%030d"):format(v) or ag.decimal(tostring(v)) end,
  function(v) return math.tointeger(tonumber(tostring(v))) end)
local folded = ag.TypeDecorator{impl = ag.String, cache_ok = true,
  bind_expression = function(_, bind) return ag.func.upper(bind) end, column_expression = function(_, column) return ag.func.lower(column) end}

--- name, type, three values
local cases = {
  {"Date", ag.Date, ag.date "0001-01-01", ag.date "9999-12-31", ag.date "2024-02-29"},
  {"DateTime", ag.DateTime, ag.datetime "0001-01-01 00:00:00", ag.datetime "9999-12-31 23:59:59.999999", ag.datetime "2024-02-29 10:00:00.5"},
  {"Time", ag.Time, ag.time "00:00:00", ag.time "23:59:59.999999", ag.time "10:00:00"},
  {"Interval", ag.Interval, ag.interval{days = 1, seconds = 5}, ag.interval{days = -400, seconds = 86399}, ag.interval{seconds = 0}},
  {"Uuid", ag.Uuid, uuid .. "1", uuid .. "2", uuid .. "3"},
  {"Uuid as text", ag.Uuid{native_uuid = false}, uuid .. "1", uuid .. "2", uuid .. "3"},
  {"Numeric", ag.Numeric(15, 4), ag.decimal "-99999999999.9999", ag.decimal "99999999999.9999", ag.decimal "0.0001"},
  {"Text", ag.Text, "", "'\"\\%_;--\n\t é🐍", "NULL"},
  {"LargeBinary", ag.LargeBinary, "", "\0\1\255'\"", "x"},
  {"BigInteger", ag.BigInteger, math.mininteger, math.maxinteger, 0},
  {"Double", ag.Double, 1.7976931348623157e308, -4.9406564584124654e-324, 0.1},
  {"Enum", ag.Enum({"a", "b'b", "c,c"}, {name = "position_label"}), "a", "b'b", "c,c"},
  {"Enum as text", ag.Enum({"a", "b'b", "c,c"}, {name = "plain", native_enum = false, create_constraint = true}), "a", "b'b", "c,c"},
  {"a formatted date", ag.Date:with_variant(sq.DATE{storage_format = "%(month)02d/%(day)02d/%(year)04d"}, "sqlite"),
    ag.date "2024-02-29", ag.date "1999-12-31", ag.date "2000-01-01"},
  {"a decorator over another type on each database", digits, 5, 77, 123456},
  {"a decorator of a decorator", decorate(decorate(ag.Integer, function(v) return v * 10 end, function(v) return v // 10 end),
    function(v) return v + 1 end, function(v) return v - 1 end), 1, 2, 3},
  {"a variant with functions", ag.Integer:with_variant(decorate(ag.Text, function(v) return ("t%05d"):format(v) end,
    function(v) return tonumber(v:sub(2)) end), "sqlite"), 1, 2, 3},
  {"a type in SQL functions", folded, "abc", "def", "ghi"},
}

--- Places: name, what is expected of (v), a function of (conn, t, v, kind) that gives a list.
local function ids(conn, t, where) return conn:scalars(ag.select(t.c.id):where(where, t.c.id:le(2)):order_by(t.c.id)):all() end
local function two(v) return {v[1], v[2]} end
local function one_and_two() return {1, 2} end
local places = {
  {"columns", function(v) return {v[1], v[2], v[3], ag.null} end,
    function(conn, t) return conn:scalars(ag.select(t.c.s):order_by(t.c.id)):all() end},
  {"RETURNING", function(v) return {v[1], v[2], ag.null} end, function(conn, t, v)
    local rows = {{id = 11, s = v[1]}, {id = 12, s = v[2]}, {id = 13, s = ag.null}}
    return conn:scalars(ag.insert(t):returning(t.c.s, {sort_by_parameter_order = true}), rows):all()
  end},
  {"literals", two, function(conn, _, v, kind)
    local out = {}
    for i = 1, 2 do out[i] = conn:scalar(ag.select(ag.literal(v[i], {type = kind, literal_execute = true}))) end
    return out
  end},
  {"parameters", two, function(conn, _, v, kind)
    local out = {}
    for i = 1, 2 do out[i] = conn:scalar(ag.select(ag.literal(v[i], kind))) end
    return out
  end},
  {"comparisons", one_and_two, function(conn, t, v, kind)
    return ids(conn, t, t.c.s:eq(v[1]) | t.c.s:eq(ag.literal(v[2], {type = kind, literal_execute = true})))
  end},
  {"IN", one_and_two, function(conn, t, v) return ids(conn, t, t.c.s:in_{v[1], v[2]}) end},
  {"long lists", one_and_two, function(conn, t, v)
    local list = {}
    for i = 1, 1100 do list[i] = v[1 + i % 2] end
    return ids(conn, t, t.c.s:in_(list))
  end},
  {"text with literals", one_and_two, function(conn, t, v)
    local text = ag.select(t.c.id):where(t.c.s:in_{v[1], v[2]}, t.c.id:le(2)):order_by(t.c.id)
      :compile{dialect = db.dialect, literal_binds = true}.string
    local out = {}
    for row in conn:exec_driver_sql(text):rows() do out[#out + 1] = row[1] end
    return out
  end},
  {"VALUES", two, function(conn, _, v, kind)
    local values = ag.values(ag.column("i", ag.Integer), ag.column("s", kind), {name = "v"}):data{{1, v[1]}, {2, v[2]}}
    return conn:scalars(ag.select(values.c.s):order_by(values.c.i)):all()
  end},
  {"VALUES of literals", two, function(conn, _, v, kind)
    local values = ag.values(ag.column("i", ag.Integer), ag.column("s", kind), {name = "v", literal_binds = true}):data{{1, v[1]}, {2, v[2]}}
    return conn:scalars(ag.select(values.c.s):order_by(values.c.i)):all()
  end},
  {"joins to VALUES", one_and_two, function(conn, t, v, kind)
    local values = ag.values(ag.column("s", kind), {name = "v"}):data{{v[1]}, {v[2]}}
    return conn:scalars(ag.select(t.c.id):join_from(t, values, t.c.s:eq(values.c.s)):where(t.c.id:le(2)):order_by(t.c.id)):all()
  end},
  {"CASE", two, function(conn, t, v, kind)
    local case = ag.case({t.c.id:eq(1), t.c.s}, {else_ = ag.literal(v[2], kind)})
    return conn:scalars(ag.select(case):where(t.c.id:le(2)):order_by(t.c.id)):all()
  end},
  {"UNION", two, function(conn, _, v, kind)
    local union = ag.select(ag.literal(1):label "i", ag.literal(v[1], kind):label "s")
      :union_all(ag.select(ag.literal(2), ag.literal(v[2], kind))):subquery()
    return conn:scalars(ag.select(union.c.s):order_by(union.c.i)):all()
  end},
  {"coalesce", two, function(conn, t, v, kind)
    return conn:scalars(ag.select(ag.func.coalesce(t.c.s, ag.literal(v[2], kind))):where(t.c.id:le(2)):order_by(t.c.id)):all()
  end},
  {"UPDATE with lists", function(v) return {v[2], v[3]} end, function(conn, t, v)
    conn:execute(ag.update(t):values{s = ag.bindparam "new"}:where(t.c.id:eq(ag.bindparam "which")),
      {{new = v[2], which = 1}, {new = v[3], which = 2}})
    return conn:scalars(ag.select(t.c.s):where(t.c.id:le(2)):order_by(t.c.id)):all()
  end},
  {"ON CONFLICT", function(v) return {v[3], v[1]} end, function(conn, t, v)
    local insert = (db.postgresql and pg or sq).insert(t):values{{id = 1, s = v[2]}, {id = 21, s = v[1]}}
    conn:execute(insert:on_conflict_do_update{index_elements = {t.c.id}, set = {s = v[3]}})
    return conn:scalars(ag.select(t.c.s):where(t.c.id:in_{1, 21}):order_by(t.c.id)):all()
  end},
  {"lists of rows", function(v) return {v[1], v[2], ag.null} end, function(conn, t, v)
    local rows, three = {}, {v[1], v[2], ag.null}
    for i = 1, 300 do rows[i] = {id = 1000 + i, s = three[1 + (i - 1) % 3]} end
    conn:execute(t:insert(), rows)
    return conn:scalars(ag.select(t.c.s):where(t.c.id:gt(1297)):order_by(t.c.id)):all()
  end},
}

describe("values of", function()
  after_each(db.cleanup)
  for _, case in ipairs(cases) do
    local name, kind = case[1], case[2]
    local v = {case[3], case[4], case[5]}
    it(name .. " in every place", function()
      local conn <close> = db.engine():connect()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("s", kind)})
      metadata:create_all(conn)
      conn:execute(t:insert(), {{id = 1, s = v[1]}, {id = 2, s = v[2]}, {id = 3, s = v[3]}, {id = 4, s = ag.null}})
      conn:commit()
      for _, place in ipairs(places) do
        local want, got = place[2](v), place[3](conn, t, v, kind)
        assert(#want == #got, place[1])
        for i = 1, #want do
          assert(want[i] == got[i], ("%s: value %d: %s, not %s"):format(place[1], i, tostring(got[i]), tostring(want[i])))
        end
        conn:rollback()
      end
    end)
  end
end)

describe("literals", function()
  it("are made by functions that know the dialect", function()
    local kind = decorate(ag.Text, function(v, dialect) return dialect.name .. v end, function(v) return v end)
    for _, dialect in ipairs{"sqlite", "postgresql"} do
      assert.equal("SELECT '" .. dialect .. "x' AS anon_1",
        (ag.select(ag.literal("x", kind)):compile{dialect = dialect, literal_binds = true}.string:gsub("%s+", " ")))
    end
  end)

  it("of decimals that SQLite would round are refused, as parameters are", function()
    local function literal(text, options)
      return ag.literal(ag.decimal(text), ag.Numeric(30, 4, options or {})):compile{dialect = "sqlite", literal_binds = true}.string
    end
    assert.equal("1234567890.12345", literal "1234567890.12345")
    assert.equal("9007199254740993.0000", literal "9007199254740993.0000")
    assert.equal("'9999999999999999.9999'", literal("9999999999999999.9999", {sqlite_text = true}))
    local ok, e = pcall(literal, "9999999999999999.9999")
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.DataError))
    assert.matches("15 digits", tostring(e))
  end)
end)
