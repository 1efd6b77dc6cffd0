-- Long chains compile in a loop; nesting is limited, and says so.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("depth", function()
  local t = ag.table("t", ag.column("a", ag.Integer), ag.column("s", ag.Text))
  local a = t.c.a

  local function occurrences(text, what)
    return select(2, text:gsub(what, ""))
  end

  it("chains of 100,000 AND, OR, + and || compile", function()
    local n = 100000
    local cond, sum, text = a:eq(0), a, t.c.s
    for i = 1, n do
      cond = cond & a:ne(i)
      sum = sum + 1
      text = text .. "x"
    end
    for _, case in ipairs{{ag.select(a):where(cond), " AND "}, {ag.select(sum), " %+ "}, {ag.select(text), " || "}} do
      local compiled = case[1]:compile{dialect = db.dialect}
      assert.equal(n, occurrences(compiled.string, case[2]))
      assert.is_true(#compiled.positional >= n)
    end
    local list = {}
    for i = 1, n do list[i] = a:eq(i) end
    assert.equal(n - 1, occurrences(ag.select(a):where(ag.or_(list)):compile{dialect = db.dialect}.string, " OR "))
  end)

  it("chains are compared and freed without recursion", function()
    local function chain()
      local cond = a:eq(0)
      for i = 1, 100000 do cond = cond | a:eq(i) end
      return cond
    end
    assert.is_true(chain():compare(chain()))
    collectgarbage()
    collectgarbage()
  end)

  it("nesting past the limit raises, and what is below it compiles", function()
    local function nest(n)
      local e = a
      for _ = 1, n do e = ag.func.abs(e) end
      return e
    end
    assert.equal(490, occurrences(ag.select(nest(490)):compile{dialect = db.dialect}.string, "abs%("))
    expect.raises("ArgumentError", {"nested", "500"}, nest, 600)
    expect.raises("ArgumentError", {"nested", "500"}, function()
      local e = a:eq(1)
      for i = 1, 600 do e = ~(e & a:eq(i)) | a:eq(i) end
    end)
    expect.raises("ArgumentError", {"nested", "500"}, function()
      local s = ag.select(a)
      for _ = 1, 600 do s = ag.select(s:subquery()) end
    end)
  end)

  it("a chain that is too long for the database fails as its error", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local cond = ag.literal(1):eq(0)
    for i = 1, 5000 do cond = cond | ag.literal(i):eq(0) end
    local value, e = ag.try(function() return conn:scalar(ag.select(ag.case({cond, 1}, {else_ = 2}))) end)
    if value == nil then assert.is_true(e:is(ag.exc.DBAPIError), tostring(e)) else assert.equal(2, value) end
    conn:rollback()
    assert.equal(1, conn:scalar(ag.select(1 + ag.literal(0))))
    conn:close()
    db.cleanup()
  end)
end)
