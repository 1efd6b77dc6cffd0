--- Every type with its values: {name, argent's type, the type in SQL, values as text, show}. `show` turns a value that argent read into what
--- psql prints for it; nil where the two spell it differently (zones, intervals, JSON) and only round trips are compared.
local ag = require "argent"
local pg = ag.postgresql
local numbers = require "spec.support.values.numbers"
local ranges = require "spec.support.values.ranges"
local texts = require "spec.support.values.texts"
local times = require "spec.support.values.times"

local function join(...)
  local out = {}
  for _, list in ipairs{...} do table.move(list, 1, #list, #out + 1, out) end
  return out
end

local function bytea(v)
  return "\\x" .. v:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
end

local labels, classes = {}, {}
for i = 1, 30 do labels[i] = ({"l%d", "L %d", "it's %d", "é%d", "\"%d\"", "a,%d", "{%d}"})[i % 7 + 1]:format(i) end
for name in ([[pg_class pg_type pg_attribute pg_proc pg_index pg_am pg_amop pg_amproc pg_cast pg_collation pg_constraint pg_conversion pg_database
  pg_depend pg_description pg_enum pg_extension pg_inherits pg_language pg_namespace pg_opclass pg_operator pg_opfamily pg_policy pg_range pg_rewrite
  pg_sequence pg_statistic pg_tables pg_trigger pg_views]]):gmatch("%S+") do classes[#classes + 1] = name end

local bytes8, chars = {}, {}
for i = 0, 31 do
  bytes8[i + 1] = tostring(pg.BitString.from_int(i * 8 + i // 4, 8))
  chars[i + 1] = ("%-6s"):format(("c%d"):format(i))
end

local configurations = {}
for name in ([[simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish italian
  lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish]]):gmatch("%S+") do
  configurations[#configurations + 1] = name
end
configurations[#configurations + 1] = "pg_catalog.simple" -- the server shows it without its schema

--- A type whose values differ from what is stored.
local function decorated(impl, write, read)
  return ag.TypeDecorator{impl = impl, cache_ok = true,
    process_bind_param = function(_, v) if v == nil then return nil end return write(v) end,
    process_result_value = function(_, v) if v == nil then return nil end return read(v) end}
end

local list = {
  {"SmallInteger", ag.SmallInteger, "int2", numbers.int2, tostring},
  {"Integer", ag.Integer, "int4", numbers.int4, tostring},
  {"BigInteger", ag.BigInteger, "int8", numbers.int8, tostring},
  {"Double", ag.Double, "float8", join(numbers.floats, numbers.special)},
  {"REAL", ag.REAL, "float4", numbers.reals},
  {"Numeric", ag.Numeric, "numeric", numbers.decimals, tostring},
  {"Numeric floats", ag.Numeric(38, 4, {asdecimal = false}), "numeric(38, 4)", numbers.int4},
  {"Boolean", ag.Boolean, "boolean", texts.booleans},
  {"String", ag.String, "varchar", texts.texts, tostring},
  {"Text", ag.Text, "text", texts.texts, tostring},
  {"CHAR", ag.CHAR(6), "char(6)", chars, tostring},
  {"LargeBinary", ag.LargeBinary, "bytea", texts.bytes, bytea},
  {"BYTEA", pg.BYTEA, "bytea", texts.bytes, bytea},
  {"Date", ag.Date, "date", join(times.dates, times.far_dates), tostring},
  {"Time", ag.Time, "time", times.times},
  {"Time zoned", ag.Time{timezone = true}, "timetz", times.zoned_times},
  {"DateTime", ag.DateTime, "timestamp", join(times.datetimes, times.far)},
  {"DateTime zoned", ag.DateTime{timezone = true}, "timestamptz", join(times.zoned, times.far)},
  {"Interval", ag.Interval, "interval", times.intervals},
  {"INTERVAL", pg.INTERVAL, "interval", times.intervals},
  {"JSON", ag.JSON, "json", texts.json},
  {"JSONB", pg.JSONB, "jsonb", texts.json},
  {"Uuid", ag.Uuid, "uuid", texts.uuids, tostring},
  {"JSONPATH", pg.JSONPATH, "jsonpath", texts.jsonpath, tostring},
  {"HSTORE", pg.HSTORE, "hstore", texts.hstore},
  {"CITEXT", pg.CITEXT, "citext", texts.texts, tostring},
  {"TSVECTOR", pg.TSVECTOR, "tsvector", texts.tsvector, tostring},
  {"TSQUERY", pg.TSQUERY, "tsquery", texts.tsquery, tostring},
  {"BIT", pg.BIT(8), "bit(8)", bytes8, tostring},
  {"BIT VARYING", pg.BIT{varying = true}, "varbit", texts.bits, tostring},
  {"MONEY", pg.MONEY, "money", numbers.money, tostring},
  {"OID", pg.OID, "oid", numbers.oid, tostring},
  {"REGCLASS", pg.REGCLASS, "regclass", classes, tostring},
  {"ENUM", pg.ENUM(labels, {name = "labels", create_type = false}), "labels", labels, tostring},
  {"DOMAIN", pg.DOMAIN("small", ag.Integer, {create_type = false}), "small", numbers.int4, tostring},
}
for _, name in ipairs{"INET", "CIDR", "MACADDR", "MACADDR8"} do list[#list + 1] = {name, pg[name], name:lower(), ranges[name], tostring} end
for _, prefix in ipairs{"INT4", "INT8", "NUM", "DATE", "TS", "TSTZ"} do
  for _, suffix in ipairs{"RANGE", "MULTIRANGE"} do
    local name, show = prefix .. suffix, tostring
    if prefix:find("TS") then show = nil end -- quotes and zones
    list[#list + 1] = {name, pg[name], name:lower(), ranges[name], show}
  end
end
for name in ("SMALLINT=int2 INTEGER=int4 INT=int4 BIGINT=int8"):gmatch("%S+") do
  local upper, sql = name:match("(%w+)=(%w+)")
  list[#list + 1] = {upper, ag[upper], sql, numbers[sql], tostring}
end
for _, name in ipairs{"FLOAT", "DOUBLE", "DOUBLE_PRECISION", "Float"} do
  list[#list + 1] = {name, ag[name], "float8", join(numbers.floats, numbers.special)}
end
for _, name in ipairs{"NUMERIC", "DECIMAL"} do list[#list + 1] = {name, ag[name], "numeric", numbers.decimals, tostring} end
for _, name in ipairs{"VARCHAR", "TEXT", "Unicode", "UnicodeText", "NVARCHAR", "CLOB"} do
  list[#list + 1] = {name, ag[name], "text", texts.texts, tostring}
end
for _, name in ipairs{"BLOB", "BINARY", "VARBINARY"} do list[#list + 1] = {name, ag[name], "bytea", texts.bytes, bytea} end
for _, v in ipairs{
  {"DATE", ag.DATE, "date", join(times.dates, times.far_dates), tostring}, {"TIME", ag.TIME, "time", times.times},
  {"TIMESTAMP", ag.TIMESTAMP, "timestamp", join(times.datetimes, times.far)},
  {"TIMESTAMP zoned", ag.TIMESTAMP{timezone = true}, "timestamptz", join(times.zoned, times.far)},
  {"DATETIME", ag.DATETIME, "timestamp", join(times.datetimes, times.far)},
  {"NCHAR", ag.NCHAR(6), "char(6)", chars, tostring},
  {"UUID", ag.UUID, "uuid", texts.uuids, tostring},
  {"Enum", ag.Enum(labels, {name = "labels"}), "labels", labels, tostring},
  {"BOOLEAN", ag.BOOLEAN, "boolean", texts.booleans},
  {"REGCONFIG", pg.REGCONFIG, "regconfig", configurations, tostring},
  {"DOMAIN of text", pg.DOMAIN("words", ag.Text, {create_type = false}), "words", texts.texts, tostring},
  {"DOMAIN of times", pg.DOMAIN("moment", ag.DateTime{timezone = true}, {create_type = false}), "moment", join(times.zoned, times.far)},
  {"DOMAIN of ranges", pg.DOMAIN("span", pg.INT4RANGE, {create_type = false}), "span", ranges.INT4RANGE, tostring},
  {"TypeDecorator", decorated(ag.Text, function(v) return v:sub(2, -2) end, function(v) return "<" .. v .. ">" end), "text", labels},
  {"TypeDecorator of integers", decorated(ag.BigInteger, function(v) return ~v end, function(v) return ~v end), "int8", numbers.int8},
  {"TypeDecorator of JSON", decorated(pg.JSONB, function(v) return v.v end, function(v) return {v = v} end), "jsonb", texts.json},
} do list[#list + 1] = v end
return {list = list, labels = labels}
