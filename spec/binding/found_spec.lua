--- Faults that random calls found (spec/support/random_calls.lua), each in its smallest form.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("found by random calls:", function()
  after_each(db.cleanup)

  local function nan() return 0 / 0 end

  it("a detached connection of a shared database lives as long as its other holders", function()
    local engine = ag.create_engine("sqlite://")
    local first, second = engine:connect(), engine:connect()
    first:detach()
    first:close()
    assert.equal(1, second:exec_driver_sql("SELECT 1"):scalar())
    local third <close> = engine:connect() -- a new one: the detached connection is not lent again
    third:exec_driver_sql("CREATE TABLE t (a)")
    third:commit()
    expect.raises("DBAPIError", "no such table", second.exec_driver_sql, second, "SELECT * FROM t")
    second:close()
    assert.equal(1, engine.pool:checkedout())
    third:close()
    assert.equal(0, engine.pool:checkedout())
    engine:dispose()
  end)

  it("the transaction of a detached connection is not that of the pool's next one", function()
    local engine = ag.create_engine("sqlite://")
    local first <close> = engine:connect()
    first:detach()
    first:exec_driver_sql("CREATE TABLE t (a)")
    local second <close> = engine:connect()
    second:exec_driver_sql("CREATE TABLE u (a)")
    second:exec_driver_sql("INSERT INTO u VALUES (1)")
    second:commit()
    second:exec_driver_sql("INSERT INTO u VALUES (2)")
    second:rollback()
    assert.equal(1, second:exec_driver_sql("SELECT count(*) FROM u"):scalar())
    first:commit()
  end)

  it("a shared connection may lose its other holders while a checkout listener runs", function()
    local engine = ag.create_engine("sqlite://")
    local first = engine:connect()
    ag.event.listen(engine, "checkout", function()
      if not first.closed then
        first:detach()
        first:close()
      end
    end)
    local second <close> = engine:connect()
    assert.equal(1, second:exec_driver_sql("SELECT 1"):scalar())
    second:close()
    assert.equal(0, engine.pool:checkedout())
  end)

  it("a handle_error listener cannot put something in the error's place that is none", function()
    local engine = db.engine()
    ag.event.listen(engine, "handle_error", function() return 7 end)
    local conn <close> = engine:connect()
    expect.raises("ArgumentError", {"handle_error", "got number"}, conn.exec_driver_sql, conn, "SELEKT 1")
  end)

  it("NaN equals nothing, for unique() too", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    assert.equal(2, #conn:exec_driver_sql("SELECT 1 AS a UNION ALL SELECT 2"):unique(nan):all())
  end)

  it("tables whose metatables are locked or have odd fields are no objects of argent", function()
    for _, locked in ipairs{1, true, "locked", {}} do
      local odd = setmetatable({}, {__metatable = locked})
      expect.raises("ArgumentError", nil, ag.event.listen, odd, "begin", print)
      expect.raises("ArgumentError", nil, ag.Column, "x", odd)
      expect.raises("ArgumentError", nil, ag.Table, "t", ag.MetaData(), {odd})
      expect.raises("ArgumentError", nil, ag.CreateIndex, odd)
    end
  end)

  it("compile hooks are functions", function()
    expect.raises("ArgumentError", {"compile", "SQL expression"}, ag.FunctionElement, {name = "f", compile = ag.literal(1)})
    expect.raises("ArgumentError", {"compile", "string"}, ag.Executable, {compile = "x"})
  end)

  it("a condition by name takes columns", function()
    local Base = ag.declarative_base()
    local A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), bs = ag.relationship("B")})
    Base:model("B", {__tablename = "b", id = ag.mapped_column(ag.Integer, {primary_key = true}), a_id = ag.mapped_column(ag.ForeignKey("a.id"))})
    expect.raises("InvalidRequestError", "metadata", A.bs.any, A.bs, {metadata = 1})
  end)
end)
