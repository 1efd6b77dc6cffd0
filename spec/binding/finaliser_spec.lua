--- Finalisers run wherever Lua allocates: also between the parts of an expression that is being built, and while a statement with
--- classes is read. What they build themselves must not touch it.
local ag = require "argent"

describe("a finaliser that builds SQL", function()
  local Base = ag.declarative_base()
  local User = Base:model("User", {
    __tablename = "users",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.String(50)),
  })

  local built, mode
  local function garbage()
    setmetatable({}, {__gc = function()
      built = built + 1
      local stmt = ag.select(User.name):where(User.id:in_{7, 8} & User.name:eq("gone"))
      assert(tostring(stmt):find("gone", 1, true) == nil)
    end})
  end
  local function statement(i)
    garbage()
    local inner = ag.select(ag.func.count(User.id)):where(User.name:like("%" .. i .. "%")):scalar_subquery()
    return ag.select(User, inner:label("n" .. i)):where((User.id:gt(i) | User.name:in_{"a" .. i, "b", "c"}) & ~User.name:is_(nil))
      :order_by(User.name:desc()):limit(i)
  end

  before_each(function()
    built = 0
    mode = collectgarbage("incremental", 100, 1000, 1)
  end)
  after_each(function() collectgarbage(mode) end)

  it("leaves the expression under construction as it was", function()
    local expected = {}
    collectgarbage("stop")
    for i = 1, 40 do expected[i] = tostring(statement(i)) end
    collectgarbage("restart")
    collectgarbage("incremental", 1, 1000, 1) -- the collector takes a step at every allocation
    for _ = 1, 5 do
      for i = 1, 40 do assert.equal(expected[i], tostring(statement(i))) end
    end
    assert.is_true(built > 100)
  end)
end)
