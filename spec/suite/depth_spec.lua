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

  it("lists of a million are compiled, or refused by an error object", function()
    local list, values = {}, {}
    for i = 1, 1000000 do list[i], values[i] = a, i end
    for _, make in ipairs{function() return ag.and_(list) end, function() return ag.select(list) end,
      function() return a:in_(values) end, function() return ag.tuple_(list) end, function() return ag.union(list) end} do
      local made, e = ag.try(make)
      if made == nil then assert.is_true(e:is(ag.exc.Error), tostring(e)) end
    end
  end)

  it("tables, texts and brackets that are nested deeply are refused by an error object", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local doc = ag.Table("doc", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("data", ag.JSON)})
    doc:create(conn)
    local n = 100000
    local deep, keyed, cycle = {}, {}, {}
    for _ = 1, n do deep, keyed = {deep}, {a = keyed} end
    cycle[1], cycle.self = cycle, cycle
    local hook = ag.FunctionElement{name = "deep", compile = function() return deep end}
    local endless = ag.FunctionElement{name = "endless", compile = function() return cycle end}
    for _, try in ipairs{
      function() conn:execute(ag.insert(doc), {data = deep}) end, function() conn:execute(ag.insert(doc), {data = cycle}) end,
      function() return doc.c.data:at(deep) end, function() return ag.select(deep) end, function() return ag.and_(deep) end,
      function() return a:in_(deep) end, function() return ag.insert(doc):values(deep) end, function() conn:execute(ag.insert(doc), deep) end,
      function() return ag.make_url("sqlite://"):set{query = keyed} end, function() return ag.postgresql.array(deep) end,
      function() conn:exec_driver_sql("SELECT " .. ("("):rep(n) .. "1" .. (")"):rep(n)) end, function() return ag.Table("x", ag.MetaData(), deep) end,
      function() return hook():compile{dialect = db.dialect} end, function() return endless():compile{dialect = db.dialect} end,
    } do
      local ok, e = pcall(try)
      assert(ok or ag.exc.is_error(e), tostring(e))
      conn:rollback()
    end
  end)

  it("JSON that is nested deeply is read, or refused by an error object", function()
    local engine = db.engine()
    local conn <close> = engine:connect()
    local n = db.postgresql and 5000 or 100000
    local text = ("["):rep(n) .. ("]"):rep(n)
    local stmt = ag.text(db.postgresql and "select cast(:x as json) as data" or "select :x as data"):columns{data = ag.JSON}
    local value, e = ag.try(function() return conn:execute(stmt, {x = text}):scalar() end)
    if value == nil then assert.is_true(e:is(ag.exc.DBAPIError), tostring(e)) else assert.equal("table", type(value)) end
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
