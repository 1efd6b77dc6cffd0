local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("echo", function()
  local lines, before
  before_each(function()
    lines = {}
    before = ag.log.set_handler(function(logger, level, text) lines[#lines + 1] = ("%s %s %s"):format(logger, level, text) end)
  end)
  after_each(function()
    ag.log.set_handler(before)
    db.cleanup()
  end)

  local function said(text)
    for _, line in ipairs(lines) do if line:find(text, 1, true) then return true end end
    return false
  end

  it("logs statements, parameters and the ends of transactions", function()
    local engine = ag.create_engine(db.url(), {echo = true, logging_name = "shop"})
    engine:begin(function(conn)
      conn:exec_driver_sql("CREATE TABLE logged (id INTEGER)")
      conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER)", {4711})
      conn:exec_driver_sql("DROP TABLE logged")
    end)
    assert.is_true(said("argent.engine.Engine.shop INFO"))
    assert.is_true(said("BEGIN"))
    assert.is_true(said("SELECT CAST("))
    assert.is_true(said("4711"))
    assert.is_true(said("COMMIT"))
    engine:dispose()
  end)

  it("keeps parameters out when told to", function()
    local engine = ag.create_engine(db.url(), {echo = true, hide_parameters = true})
    engine:begin(function(conn) conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER)", {4711}) end)
    assert.is_true(said("SELECT CAST("))
    assert.is_false(said("4711"))
    engine:dispose()
  end)

  it("can be switched on and off, and is off by default", function()
    local engine = ag.create_engine(db.url())
    engine:connect():exec_driver_sql("SELECT 1")
    assert.equal(0, #lines)
    engine.echo = true
    engine:connect():exec_driver_sql("SELECT 1")
    assert.is_true(#lines > 0)
    engine.echo = false
    local n = #lines
    engine:connect():exec_driver_sql("SELECT 1")
    assert.equal(n, #lines)
    expect.raises("ArgumentError", "echo", function() engine.echo = "loud" end)
    engine:dispose()
  end)

  it("logs the pool", function()
    local engine = ag.create_engine(db.url(), {echo_pool = "debug"})
    engine:connect():close()
    assert.is_true(said("argent.pool."))
    engine:dispose()
  end)

  it("a handler that raises does not hurt the statement", function()
    local engine = ag.create_engine(db.url(), {echo = true})
    ag.log.set_handler(function() error("no") end)
    local conn <close> = engine:connect()
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    conn:close()
    engine:dispose()
  end)
end)
