--- Values of every generic type on SQLite: written by bind and by literal they come back equal, and the sqlite3 shell prints both alike, as
--- the type's storage says.
local ag = require "argent"
local db = require "spec.support.db"
local numbers = require "spec.support.values.numbers"
local texts = require "spec.support.values.texts"
local times = require "spec.support.values.times"

if db.name ~= "sqlite-file" then
  describe("values in SQLite files", function()
    it("have no native time zones, intervals and UUIDs", function()
      local t = ag.Table("t", ag.MetaData(), {ag.Column("a", ag.DateTime{timezone = true}), ag.Column("b", ag.Interval), ag.Column("c", ag.Uuid)})
      assert.matches("a DATETIME.*b DATETIME.*c CHAR%(32%)", (ag.CreateTable(t):compile{dialect = "sqlite"}.string:gsub("%s+", " ")))
    end)
  end)
  return
end

local function map(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v) end
  return out
end

local function select_of(list, wanted)
  local out = {}
  for _, v in ipairs(list) do if wanted(v) then out[#out + 1] = v end end
  return out
end

local function micros(text) return text .. (text:find("%.") and ("0"):rep(6 - #text:match("%.(%d+)")) or ".000000") end
local function quoted(text) return "'" .. text:gsub("'", "''") .. "'" end
local function bytes_of(text) return (text:sub(3):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
local function float(text) return tonumber(text) + 0.0 end

local short = select_of(numbers.decimals, function(t)
  return t ~= "NaN" and not t:find("e") and #t:gsub("[-.]", ""):gsub("^0+", "") <= 15
end)
for i = 1, 12 do short[#short + 1] = ("%s%d.%0" .. i % 8 .. "d1"):format(i % 2 == 0 and "-" or "", i * i * i * 7, i) end
local exact = select_of(numbers.decimals, function(t) return t ~= "NaN" end)
local finite_floats = select_of(numbers.floats, function() return true end)
local no_bom = select_of(texts.texts, function(t) return not t:find("\n") and not t:find("\r") end)
local plain = select_of(texts.json, function() return true end)

local intervals = {}
for i = -15, 15 do
  intervals[#intervals + 1] = ag.interval{days = i * 37, seconds = i * i * 211, microseconds = i * 61234}
end

--- {name, type, values, what `quote(v)` gives in the shell (nil: only that bind and literal are alike)}
local cases = {
  {"SmallInteger", ag.SmallInteger, map(numbers.int2, math.tointeger), tostring},
  {"Integer", ag.Integer, map(numbers.int4, math.tointeger), tostring},
  {"BigInteger", ag.BigInteger, map(numbers.int8, math.tointeger), tostring},
  {"Float", ag.Float, map(finite_floats, float)},
  {"Double", ag.Double, map(finite_floats, float)},
  {"Numeric", ag.Numeric(15, 8), map(short, ag.decimal)},
  {"Numeric as text", ag.Numeric(60, 30, {sqlite_text = true}), map(exact, ag.decimal), function(v) return quoted(tostring(v)) end},
  {"Boolean", ag.Boolean, {true, false}, function(v) return v and "1" or "0" end},
  {"String", ag.String(300), select_of(no_bom, function(t) return #t < 300 end), quoted},
  {"Text", ag.Text, no_bom, quoted},
  {"LargeBinary", ag.LargeBinary, map(texts.bytes, bytes_of), function(v)
    return "X'" .. v:gsub(".", function(c) return ("%02X"):format(c:byte()) end) .. "'"
  end},
  {"Date", ag.Date, map(times.dates, ag.date), function(v) return quoted(tostring(v)) end},
  {"Time", ag.Time, map(times.times, ag.time), function(v) return quoted(micros(tostring(v))) end},
  {"DateTime", ag.DateTime, map(times.datetimes, ag.datetime), function(v) return quoted(micros(tostring(v))) end},
  {"DateTime zoned", ag.DateTime{timezone = true}, map(times.zoned, ag.datetime)},
  {"Interval", ag.Interval, intervals},
  {"JSON", ag.JSON, map(plain, require("argent.json").decode)},
  {"Uuid", ag.Uuid, texts.uuids, function(v) return quoted((v:gsub("-", ""))) end},
  {"Enum", ag.Enum(no_bom), no_bom, quoted},
}

for _, name in ipairs{"SMALLINT", "INTEGER", "INT", "BIGINT"} do
  local list = ({SMALLINT = numbers.int2, BIGINT = numbers.int8})[name] or numbers.int4
  cases[#cases + 1] = {name, ag[name], map(list, math.tointeger), tostring}
end
for _, name in ipairs{"FLOAT", "REAL", "DOUBLE", "DOUBLE_PRECISION"} do cases[#cases + 1] = {name, ag[name], map(finite_floats, float)} end
for _, name in ipairs{"NUMERIC", "DECIMAL"} do cases[#cases + 1] = {name, ag[name](15, 8), map(short, ag.decimal)} end
for _, name in ipairs{"VARCHAR", "CHAR", "NCHAR", "NVARCHAR", "TEXT", "CLOB", "Unicode", "UnicodeText"} do
  cases[#cases + 1] = {name, ag[name], no_bom, quoted}
end
for _, name in ipairs{"BLOB", "BINARY", "VARBINARY"} do
  cases[#cases + 1] = {name, ag[name], map(texts.bytes, bytes_of), function(v)
    return "X'" .. v:gsub(".", function(c) return ("%02X"):format(c:byte()) end) .. "'"
  end}
end
local reversed = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
  process_bind_param = function(_, v) return v and v:reverse() end, process_result_value = function(_, v) return v and v:reverse() end}
local boxed = ag.TypeDecorator{impl = ag.JSON, cache_ok = true,
  process_bind_param = function(_, v) return v and v.v end, process_result_value = function(_, v) return v ~= nil and {v = v} or nil end}
for _, case in ipairs{
  {"BOOLEAN", ag.BOOLEAN, {true, false}, function(v) return v and "1" or "0" end},
  {"DATE", ag.DATE, map(times.dates, ag.date), function(v) return quoted(tostring(v)) end},
  {"TIME", ag.TIME, map(times.times, ag.time), function(v) return quoted(micros(tostring(v))) end},
  {"DATETIME", ag.DATETIME, map(times.datetimes, ag.datetime), function(v) return quoted(micros(tostring(v))) end},
  {"TIMESTAMP", ag.TIMESTAMP, map(times.datetimes, ag.datetime), function(v) return quoted(micros(tostring(v))) end},
  {"UUID", ag.UUID, texts.uuids, function(v) return quoted((v:gsub("-", ""))) end},
  {"TypeDecorator", reversed, texts.uuids, function(v) return quoted(v:reverse()) end},
  {"TypeDecorator of JSON", boxed, map(plain, function(t) return {v = require("argent.json").decode(t)} end)},
} do cases[#cases + 1] = case end

--- Types that SQLite has no values of, and why.
local WITHOUT_VALUES = {
  NullType = "the database decides", TupleType = "the left side of in_(): no column has it", ARRAY = "SQLite has no arrays",
}

local function same(a, b)
  if type(a) == "table" and type(b) == "table" then
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
  end
  return a == b and (math.type(a) ~= "float" or 1 / a == 1 / b)
end

--- Lines that the sqlite3 shell prints for a query.
local function shell(engine, sql)
  local path = tostring(engine.url):match("^sqlite:///(.+)$")
  local pipe <close> = assert(io.popen(("sqlite3 -batch -noheader -list '%s' \"%s\""):format(path, sql)))
  local out = {}
  for line in pipe:lines() do out[#out + 1] = line end
  return out
end

describe("values in SQLite files", function()
  after_each(db.cleanup)

  it("are there for every type", function()
    local core = require "argent.core"
    local tried, missing = {}, {}
    for _, case in ipairs(cases) do tried[case[1]:match("^[%w_]+")] = true end
    for name, value in pairs(core) do
      if core.kind_of(value) == "type" and not tried[name] and not WITHOUT_VALUES[name] then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)

  for _, case in ipairs(cases) do
    local name, kind, values, stored = table.unpack(case, 1, 4)

    it(("%s: %d values"):format(name, #values), function()
      assert(#values >= 30 or name:lower() == "boolean", ("%d values are not enough"):format(#values))
      local engine = db.engine()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("b", kind), ag.Column("l", kind)})
      metadata:create_all(engine)
      engine:begin(function(conn)
        for i, v in ipairs(values) do
          conn:execute(ag.insert(t):values{id = i, b = v})
          conn:execute(ag.update(t):where(t.c.id:eq(i)):values{l = ag.literal(v, {type = kind, literal_execute = true})})
          local row = conn:execute(ag.select(t.c.b, t.c.l):where(t.c.id:eq(i))):one()
          assert(same(v, row.b), ("%s came back as %s"):format(tostring(v), tostring(row.b)))
          assert(same(v, row.l), ("%s, a literal, came back as %s"):format(tostring(v), tostring(row.l)))
        end
      end)
      local bound = shell(engine, "SELECT quote(b) FROM t ORDER BY id")
      local literal = shell(engine, "SELECT quote(l) FROM t ORDER BY id")
      local kinds = shell(engine, "SELECT count(*) FROM t WHERE typeof(b) != typeof(l)")
      assert.same({"0"}, kinds)
      assert.equal(#values, #bound)
      for i, v in ipairs(values) do
        assert.equal(bound[i], literal[i])
        if stored then assert.equal(stored(v), bound[i]) end
      end
    end)
  end
end)
