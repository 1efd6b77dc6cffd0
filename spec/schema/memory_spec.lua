local ag = require "argent"
local core = require "argent.core"

local function declare()
  local m = ag.MetaData{naming_convention = {uq = "uq_%(table_name)s_%(column_0_name)s"}}
  local a = ag.Table("a", m, {
    ag.Column("id", ag.Integer, {primary_key = true}),
    ag.Column("b_id", ag.ForeignKey("b.id"), {index = true, unique = true}),
    ag.Column("n", ag.Numeric(10, 2), {default = function() return 1 end, server_default = ag.text("1")}),
    ag.CheckConstraint("n > 0", {name = "positive"}), ag.Index("ix_n", "n", {postgresql_with = {fillfactor = 70}}),
    comment = "x",
  })
  local b = ag.Table("b", m, {ag.Column("id", ag.String(5), {primary_key = true})})
  ag.Sequence("s", {start = 5, metadata = m})
  return m.sorted_tables, ag.CreateTable(a), ag.CreateIndex(a.indexes[1]), b
end

describe("schema objects", function()
  it("survive every failing allocation and leak nothing", function()
    declare()
    collectgarbage()
    collectgarbage()
    local before = core.debug_memory()
    for n = 1, 2000 do
      core.debug_alloc_fail(n)
      local ok, e = pcall(declare)
      local unused = core.debug_memory().fail_at
      core.debug_alloc_fail(0)
      if not ok then assert.is_true(ag.exc.is_error(e) and e.name == "OutOfMemoryError" or tostring(e):find("memory") ~= nil, tostring(e)) end
      if ok and unused > 0 then break end
      assert.is_true(n < 2000)
    end
    collectgarbage()
    collectgarbage()
    local after = core.debug_memory()
    assert.equal(before.handles, after.handles)
    assert.is_true(after.live <= before.live + 8, ("%d blocks before, %d after"):format(before.live, after.live))
  end)

  it("can be dropped in any order", function()
    for _ = 1, 20 do
      local tables = declare()
      local c = tables[1].c.id
      setmetatable({}, {__gc = function() return tostring(c), pcall(function() return c.table.metadata.tables end) end})
    end
    collectgarbage()
    collectgarbage()
  end)
end)
