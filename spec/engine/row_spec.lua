local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("a row", function()
  local conn
  setup(function() conn = db.engine():connect() end)
  teardown(function()
    conn:close()
    db.cleanup()
  end)

  local function row(text)
    return conn:exec_driver_sql(text or "SELECT 1 AS id, 'ann' AS name, NULL AS age"):one()
  end

  it("is read by name and by number from 1", function()
    local r = row()
    assert.equal(1, r.id)
    assert.equal("ann", r.name)
    assert.equal("ann", r[2])
    assert.is_nil(r.age)
    assert.is_nil(r[3])
    assert.is_nil(r[4])
    expect.raises("NoSuchColumnError", "columns of a row count from 1", function() return r[0] end)
    assert.equal(3, #r)
  end)

  it("raises for a name it does not have, with the nearest one", function()
    expect.raises("NoSuchColumnError", {"'nam'", "did you mean 'name'"}, function() return row().nam end)
    expect.raises("NoSuchColumnError", "'zzz'", function() return row().zzz end)
    expect.raises("NoSuchColumnError", "name or number", function() return row()[{}] end)
    expect.raises("NoSuchColumnError", "name or number", function() return row()[1.5] end)
  end)

  it("raises for a name that several columns have", function()
    local r = row("SELECT 1 AS a, 2 AS a, 3 AS b")
    expect.raises("InvalidRequestError", "ambiguous", function() return r.a end)
    assert.equal(2, r[2])
    assert.equal(3, r.b)
  end)

  it("has every column name free", function()
    local r = row([[SELECT 1 AS "all", 2 AS "keys", 3 AS "__index", 4 AS "first"]])
    assert.equal(1, r.all)
    assert.equal(2, r.keys)
    assert.equal(3, r.__index)
    assert.equal(4, r.first)
  end)

  it("cannot be changed", function()
    expect.raises("ArgumentError", "cannot be changed", function() row().id = 2 end)
    assert.equal("argent.Row", getmetatable(row()))
  end)

  it("is walked by pairs in the order of its columns", function()
    local names, values = {}, {}
    for name, value in pairs(row()) do
      names[#names + 1] = name
      values[name] = value
    end
    assert.same({"id", "name", "age"}, names)
    assert.same({id = 1, name = "ann"}, values)
  end)

  it("becomes values and tables", function()
    assert.same({n = 3, 1, "ann"}, table.pack(ag.unpack(row())))
    assert.same({n = 1, "ann"}, table.pack(ag.unpack(row(), 2, 2)))
    assert.same({id = 1, name = "ann"}, ag.to_table(row()))
    assert.same({1, "ann", ag.null}, ag.to_table(row(), {array = true}))
    expect.raises("ArgumentError", {"argument #1 to ag.to_table", "Row"}, ag.to_table, {})
    expect.raises("ArgumentError", "unknown option 'aray'", ag.to_table, row(), {aray = true})
    expect.raises("ArgumentError", "ag.unpack", ag.unpack, 5)
  end)

  it("equals a row of equal values", function()
    assert.is_true(row() == row())
    assert.is_true(row("SELECT 1 AS x, 'a' AS y") == row("SELECT 1 AS p, 'a' AS q"))
    assert.is_false(row("SELECT 1 AS x") == row("SELECT 2 AS x"))
    assert.is_false(row("SELECT 1 AS x") == row("SELECT 1 AS x, 2 AS y"))
  end)

  it("prints itself", function()
    assert.equal("Row(id=1, name='ann', age=NULL)", tostring(row()))
  end)
end)
