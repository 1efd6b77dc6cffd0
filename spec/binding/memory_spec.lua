--- Every allocation of the core fails in turn, once and from then on: an error comes out, nothing stays behind, and the same
--- program then runs.
local ag = require "argent"
local core = require "argent.core"
local db = require "spec.support.db"

local function work(engine)
  local conn <close> = engine:connect()
  conn:exec_driver_sql("CREATE TABLE m (id INTEGER PRIMARY KEY, name TEXT)")
  conn:exec_driver_sql(db.sql "INSERT INTO m VALUES (?, ?)", {{1, "a"}, {2, ("b"):rep(50)}})
  conn:begin_nested(function() conn:exec_driver_sql("SELECT 1") end)
  local n = 0
  for _, id, name in conn:exec_driver_sql("SELECT id, name FROM m ORDER BY id"):tuples() do n = n + id + #name end
  for row in conn:exec_driver_sql("SELECT id FROM m", nil, {execution_options = {yield_per = 1}}):rows() do n = n + row.id end
  n = n + #conn:exec_driver_sql("SELECT name FROM m"):columns("name"):all()
  assert(not pcall(conn.exec_driver_sql, conn, "SELEKT"))
  conn:rollback()
  return n
end

local function settle()
  core.debug_alloc_fail(0)
  collectgarbage()
  collectgarbage()
end

describe("when memory runs out", function()
  after_each(function()
    core.debug_alloc_fail(0)
    db.cleanup()
  end)

  for _, forever in ipairs{false, true} do
    it("nothing leaks and the program can go on" .. (forever and " (from then on)" or " (once)"), function()
      local engine = db.engine()
      assert.equal(59, work(engine))
      assert.equal(0, engine.pool:checkedout())
      settle()
      local before = core.debug_memory()
      local failures, k = 0, 0
      repeat
        k = k + 1
        core.debug_alloc_fail(k, forever)
        local ok, e = pcall(work, engine)
        local used = core.debug_memory().fail_at ~= 0 and not forever
        settle()
        if not ok then
          failures = failures + 1
          assert.truthy(tostring(e):find("memory", 1, true) or ag.exc.is_error(e), tostring(e))
        end
        assert.equal(0, engine.pool:checkedout())
        assert(k < 20000, "too many allocations")
      until (ok and (used or forever)) -- the k-th allocation was never reached
      settle()
      assert.equal(59, work(engine))
      settle()
      local after = core.debug_memory()
      assert.is_true(failures > 20)
      assert.is_true(after.live <= before.live + 64, ("%d blocks before, %d after"):format(before.live, after.live))
      assert.equal(before.handles, after.handles)
    end)
  end

  it("making an engine leaves nothing behind", function()
    settle()
    local before = core.debug_memory()
    for k = 1, 60 do
      core.debug_alloc_fail(k)
      pcall(ag.create_engine, "sqlite:///x.db?timeout=5", {connect_args = {timeout = 5}, execution_options = {timeout = 1}})
    end
    settle()
    local after = core.debug_memory()
    assert.equal(before.handles, after.handles)
    assert.equal(before.live, after.live)
  end)
end)
