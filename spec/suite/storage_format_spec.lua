--- Dates and times on SQLite by a format of their own.
local ag = require "argent"
local db = require "spec.support.db"

local function message(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return tostring(e)
end

local function ddl(kind)
  return (ag.CreateTable(ag.Table("t", ag.MetaData(), {ag.Column("v", kind)})):compile{dialect = "sqlite"}.string:gsub("%s+", " "))
end

--- {type, value, the text that is stored}
local cases = {
  {ag.DATE{storage_format = "%(year)04d/%(month)02d/%(day)02d"}, ag.date "2024-01-05", "2024/01/05"},
  {ag.DATE{storage_format = "%(month)02d/%(day)02d/%(year)04d"}, ag.date "0001-12-31", "12/31/0001"},
  {ag.DATE{storage_format = "%(year)04d%(month)02d%(day)02d"}, ag.date "2024-02-29", "20240229"},
  {ag.DATE{storage_format = "%(day)d.%(month)d.%(year)d"}, ag.date "2024-02-03", "3.2.2024"},
  {ag.TIME{storage_format = "%(hour)02d-%(minute)02d-%(second)02d-%(microsecond)06d"}, ag.time "10:20:30.000007", "10-20-30-000007"},
  {ag.TIME{truncate_microseconds = true}, ag.time "23:59:59", "23:59:59"},
  {ag.DATETIME{storage_format = "%(year)04d%(month)02d%(day)02d%(hour)02d%(minute)02d%(second)02d%(microsecond)06d"},
    ag.datetime "1999-12-31 23:59:59.123456", "19991231235959123456"},
  {ag.DATETIME{storage_format = "100%% %(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02d"},
    ag.datetime "9999-12-31 23:59:59", "100% 9999-12-31T23:59:59"},
  {ag.DATETIME{truncate_microseconds = true}, ag.datetime "1969-12-31 23:59:59", "1969-12-31 23:59:59"},
}

describe("storage_format", function()
  after_each(db.cleanup)

  it("is checked when the type is made", function()
    assert.matches("year.*month.*day", message(ag.DATE, {storage_format = "%(year)04d-%(month)02d"}))
    assert.matches("expected text with the fields", message(ag.DATE, {storage_format = "%(year)04d-%(month)02d-%(dya)02d"}))
    assert.matches("expected text with the fields", message(ag.TIME, {storage_format = "%H:%M:%S"}))
    assert.matches("hour.*minute.*second", message(ag.DATETIME, {storage_format = "%(year)04d-%(month)02d-%(day)02d"}))
    assert.matches("expected text with the fields", message(ag.DATE, {storage_format = "%(year)04d%(month)02d%(day)02d" .. ("x"):rep(99)}))
    assert.matches("belongs to DATE", message(ag.DateTime, {storage_format = "%(year)04d"}))
    assert.matches("storage_format", message(ag.DATE, {storage_fromat = "x"}))
  end)

  it("of digits alone makes the column text", function()
    assert.matches("v DATE_CHAR%)", (ddl(cases[3][1]):gsub("%s", "", 0):gsub(" %)", ")")))
    assert.matches("v DATE ", (ddl(cases[1][1])))
    assert.matches("v DATETIME_CHAR", (ddl(cases[7][1])))
  end)

  it("means nothing on PostgreSQL", function()
    local t = ag.Table("t", ag.MetaData(), {ag.Column("v", cases[1][1])})
    assert.matches("v DATE\n", ag.CreateTable(t):compile{dialect = "postgresql"}.string)
  end)

  for i, case in ipairs(cases) do
    it(("%d: %s is kept"):format(i, case[3]), function()
      local engine = db.engine()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("v", case[1])})
      metadata:create_all(engine)
      local conn <close> = engine:connect()
      conn:execute(ag.insert(t):values{id = 1, v = case[2]})
      conn:execute(ag.insert(t):values{id = 2, v = ag.literal(case[2], {type = case[1], literal_execute = true})})
      for id = 1, 2 do
        assert.equal(case[2], conn:scalar(ag.select(t.c.v):where(t.c.id:eq(id))))
        if db.sqlite then assert.equal(case[3], conn:scalar(ag.text("SELECT '' || v FROM t WHERE id = " .. id))) end
      end
      assert.equal(2, conn:scalar(ag.select(ag.func.count()):select_from(t):where(t.c.v:eq(case[2]))))
    end)
  end

  if db.sqlite then
    it("refuses what it would lose, unless that was asked for", function()
      local engine = db.engine()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {
        ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("strict", cases[8][1]),
        ag.Column("short", ag.DATETIME{truncate_microseconds = true}),
      })
      metadata:create_all(engine)
      local conn <close> = engine:connect()
      local value = ag.datetime "2024-01-05 10:00:00.5"
      assert.matches("does not keep the value", message(conn.execute, conn, ag.insert(t):values{strict = value}))
      conn:execute(ag.insert(t):values{id = 1, short = value})
      assert.equal(ag.datetime "2024-01-05 10:00:00", conn:scalar(ag.select(t.c.short)))
    end)

    it("refuses text of another form", function()
      local engine = db.engine()
      local metadata = ag.MetaData()
      local t = ag.Table("t", metadata, {ag.Column("v", cases[1][1])})
      metadata:create_all(engine)
      local conn <close> = engine:connect()
      for _, text in ipairs{"2024-01-05", "2024/13/05", "2024/01/05x", "2024/01/", "", "x"} do
        conn:exec_driver_sql("DELETE FROM t")
        conn:exec_driver_sql("INSERT INTO t VALUES (?)", {text})
        assert.matches("v", message(conn.scalar, conn, ag.select(t.c.v)))
      end
    end)
  end
end)
