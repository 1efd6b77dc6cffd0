--- Values of every type on PostgreSQL. The server makes each value of a text; argent reads it (as text and in binary), writes it by bind and
--- by literal, and psql must print all three alike.
local ag = require "argent"
local db = require "spec.support.db"

if not db.postgresql then
  describe("values of PostgreSQL's types", function()
    it("have no columns elsewhere", function()
      local t = ag.Table("t", ag.MetaData(), {ag.Column("v", ag.postgresql.INET)})
      assert.error(function() return ag.CreateTable(t):compile{dialect = "sqlite"} end)
    end)
  end)
  return
end

local values = require "spec.support.values.types"

--- Rows of a query as psql prints them: fields end with \31, rows with \30.
local function psql(url, sql)
  local command = ("PGTZ=UTC psql -XAtq -F '\31' -R '\30' -d '%s' -c \"%s\""):format(url, sql:gsub('"', '\\"'))
  local pipe <close> = assert(io.popen(command))
  local rows = {}
  for line in (pipe:read("a"):gsub("\n$", "") .. "\30"):gmatch("([^\30]*)\30") do
    local row = {}
    for field in (line .. "\31"):gmatch("([^\31]*)\31") do row[#row + 1] = field end
    rows[#rows + 1] = row
  end
  return rows
end

local function same(a, b)
  local meta = type(a) == "table" and getmetatable(a)
  if type(a) == "table" and type(b) == "table" and not (meta and meta.__eq) then
    for k, v in pairs(a) do if not same(v, b[k]) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
  end
  return a == b or (a ~= a and b ~= b) or (tostring(a) == "NaN" and tostring(b) == "NaN")
end

--- The value of the server, read once as text and once in binary.
local function read_twice(conn, t, i)
  local col = t.c.o
  local binary = ag.select(col):where(t.c.id:eq(ag.bindparam("id")))
  local text = ag.select(col, ag.literal_column("1::money")):where(t.c.id:eq(ag.bindparam("id")))
  local first
  for round = 1, 2 do
    local a = conn:scalar(binary, {id = i})
    local b = conn:scalar(text, {id = i})
    assert(same(a, b), ("value %d: %s in binary, %s as text"):format(i, tostring(a), tostring(b)))
    if round == 1 then first = a end
    assert(same(first, a), ("value %d: %s, then %s"):format(i, tostring(first), tostring(a)))
  end
  return first
end

local function write_both(conn, t, kind, i, v)
  conn:execute(ag.update(t):where(t.c.id:eq(i)):values{
    b = ag.literal(v, {type = kind}), l = ag.literal(v, {type = kind, literal_execute = true})})
end

local function setup(kind, sql)
  local engine = db.engine()
  local conn = engine:connect()
  conn:exec_driver_sql("CREATE EXTENSION hstore")
  conn:exec_driver_sql("CREATE EXTENSION citext")
  local list = {}
  for i, label in ipairs(values.labels) do list[i] = "'" .. label:gsub("'", "''") .. "'" end
  conn:exec_driver_sql("CREATE TYPE labels AS ENUM (" .. table.concat(list, ", ") .. ")")
  for name, base in pairs{small = "integer", words = "text", moment = "timestamptz", span = "int4range"} do
    conn:exec_driver_sql(("CREATE DOMAIN %s AS %s"):format(name, base))
  end
  conn:exec_driver_sql("SET TIME ZONE 'UTC'")
  local t = ag.Table("t", ag.MetaData(), {
    ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("o", kind), ag.Column("b", kind), ag.Column("l", kind),
  })
  conn:exec_driver_sql(("CREATE TABLE t (id integer primary key, o %s, b %s, l %s)"):format(sql, sql, sql))
  conn:commit()
  return conn, t
end

local function insert(conn, sql, i, text)
  conn:exec_driver_sql(("INSERT INTO t (id, o) VALUES ($1, $2::text::%s)"):format(sql), {i, text})
end

--- psql's rows, all whose columns must be alike.
local function compare_with_psql(count)
  local rows = psql(os.getenv "ARGENT_PG_URL", "SELECT id, o, b, l FROM t ORDER BY id")
  assert.equal(count, #rows)
  for _, row in ipairs(rows) do
    assert(row[2] == row[3], ("%s: bound, psql prints %s instead of %s"):format(row[1], row[3], row[2]))
    assert(row[2] == row[4], ("%s: as a literal, psql prints %s instead of %s"):format(row[1], row[4], row[2]))
  end
  return rows
end

local dimensions = setmetatable({[6] = 2, [7] = 3}, {__index = function() return 1 end})

--- Values of a type in arrays, with so many dimensions: one of each, all with a NULL among them, two dimensions, none, neighbours. Among
--- JSON, NULL is written as JSON's null.
local function arrays_of(texts, name)
  local null = name:match "JSON" and not name:match "PATH" and '"null"' or "NULL"
  local quoted = {}
  for i, text in ipairs(texts) do quoted[i] = '"' .. text:gsub('[\\"]', "\\%0") .. '"' end
  local out = {"{}", "{" .. null .. "}", "{" .. quoted[1] .. "}", "{" .. quoted[1] .. "," .. null .. "," .. quoted[2] .. "}"}
  out[#out + 1] = "{" .. table.concat(quoted, ",") .. "}"
  out[#out + 1] = ("{{%s,%s},{%s,%s}}"):format(quoted[1], quoted[2], quoted[2], null)
  out[#out + 1] = ("{{{%s},{%s}},{{%s},{%s}}}"):format(quoted[1], quoted[2], null, quoted[1])
  for i = 1, 23 do
    out[#out + 1] = ("{%s,%s,%s,%s}"):format(quoted[i % #quoted + 1], quoted[i * 3 % #quoted + 1], null, quoted[i * 7 % #quoted + 1])
  end
  return out
end

--- Types that have no values of their own, and why.
local WITHOUT_VALUES = {
  NullType = "the database decides: every type is read through it in other specs",
  TupleType = "the left side of in_(): no column has it",
}

--- Names of other databases: their values go through, but no cast to an array of them.
local NO_ARRAYS = {NVARCHAR = true, CLOB = true, BINARY = true, VARBINARY = true, BLOB = true}

describe("values of PostgreSQL's types", function()
  it("are there for every type", function()
    local core = require "argent.core"
    local tried, missing = {ARRAY = true}, {}
    for _, case in ipairs(values.list) do tried[case[1]:match("^[%w_]+")] = true end
    for name, value in pairs(core) do
      if core.kind_of(value) == "type" and not tried[name] and not WITHOUT_VALUES[name] then missing[#missing + 1] = name end
    end
    for name in pairs(core.postgresql_types) do
      if not tried[name] then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)

  after_each(db.cleanup)

  for _, case in ipairs(values.list) do
    local name, kind, sql, texts, show = table.unpack(case, 1, 5)

    it(("%s: %d values"):format(name, #texts), function()
      assert(#texts >= 30 or name:lower() == "boolean", "at least 30 values")
      local conn <close>, t = setup(kind, sql)
      local read = {}
      for i, text in ipairs(texts) do
        insert(conn, sql, i, text)
        read[i] = read_twice(conn, t, i)
        write_both(conn, t, kind, i, read[i])
        for _, column in ipairs{"b", "l"} do
          local back = conn:scalar(ag.select(t.c[column]):where(t.c.id:eq(i)))
          assert(same(read[i], back), ("%s came back as %s"):format(tostring(read[i]), tostring(back)))
        end
      end
      conn:commit()
      for i, row in ipairs(compare_with_psql(#texts)) do
        if show then assert.equal(row[2], show(read[i])) end
      end
    end)

    if not NO_ARRAYS[name] then it(name .. ": arrays of them", function()
      local kind_array = ag.ARRAY(kind)
      local conn <close>, t = setup(kind_array, sql .. "[]")
      local lists = arrays_of(texts, name)
      for i, text in ipairs(lists) do
        insert(conn, sql .. "[]", i, text)
        write_both(conn, t, ag.ARRAY(kind, {dimensions = dimensions[i]}), i, read_twice(conn, t, i))
      end
      conn:commit()
      compare_with_psql(#lists)
    end) end
  end

  it("arrays with other lower bounds give their elements", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    assert.same({1, 2, 3}, conn:scalar(ag.text "SELECT '[2:4]={1,2,3}'::int[]":columns{ag.column("x", ag.ARRAY(ag.Integer))}))
    assert.same({{1, 2}, {3, 4}}, conn:scalar(ag.text "SELECT '[0:1][-1:0]={{1,2},{3,4}}'::int[]":columns{ag.column("x", ag.ARRAY(ag.Integer))}))
  end)

  it("of text() come as their type, without being asked for", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local pg = ag.postgresql
    assert.equal(pg.Range(1, 5), conn:scalar(ag.text "SELECT '[1,5)'::int4range"))
    assert.equal(pg.MultiRange{pg.Range(1, 5)}, conn:scalar(ag.text "SELECT '{[1,5)}'::int4multirange"))
    assert.equal(pg.BitString "101", conn:scalar(ag.text "SELECT B'101'"))
    assert.same({pg.Range(1, 5), ag.null}, conn:scalar(ag.text "SELECT ARRAY['[1,5)'::int4range, NULL]"))
    assert.same({1, 2}, conn:scalar(ag.text "SELECT ARRAY[1, 2]"))
  end)
end)
