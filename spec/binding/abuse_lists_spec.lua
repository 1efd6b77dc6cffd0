--- Long lists of tables: what is kept alive while a list is read must not outgrow the stack of Lua.
local ag = require "argent"

describe("a list of tables for IN", function()
  it("may be long", function()
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("d", ag.JSON)})
    for _, n in ipairs{10, 100, 1000, 5000} do
      local list = {}
      for i = 1, n do list[i] = {i} end
      assert.is_true(#tostring(t.c.d:in_(list)) > 0)
    end
  end)
end)
