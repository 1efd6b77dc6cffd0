--- What an INSERT or UPDATE makes of values() and of the call's parameters together, and what its result tells of columns.
local ag = require "argent"
local db = require "spec.support.db"

local metadata = ag.MetaData()
local t = ag.Table("facts", metadata, {
  ag.Column("id", ag.Integer, {primary_key = true}),
  ag.Column("a", ag.Integer), ag.Column("b", ag.Integer, {default = 5}), ag.Column("c", ag.Integer, {server_default = "7"}),
  ag.Column("d", ag.Integer, {onupdate = function() return 9 end}),
})

describe("insert and update", function()
  local engine, conn
  setup(function() engine = db.engine() end)
  teardown(function() db.cleanup() end)
  before_each(function()
    conn = engine:connect()
    metadata:drop_all(conn)
    metadata:create_all(conn)
  end)
  after_each(function()
    conn:rollback()
    conn:close()
  end)

  local function rows()
    local out = {}
    for row in conn:execute(ag.select(t.c.a, t.c.b, t.c.c, t.c.d):order_by(t.c.id)):rows() do
      out[#out + 1] = table.concat({tostring(row.a), tostring(row.b), tostring(row.c), tostring(row.d)}, " ")
    end
    return out
  end

  it("take the call's parameter before the plain value of values()", function()
    local stmt = ag.insert(t):values{a = 1, b = 2}
    conn:execute(stmt, {a = 10})
    conn:execute(stmt)
    conn:execute(stmt, {{a = 11, b = 12}, {a = 13, b = 14}})
    assert.same({"10 2 7 nil", "1 2 7 nil", "11 12 7 nil", "13 14 7 nil"}, rows())
    local update = ag.update(t):values{a = 3}:where(t.c.a:eq(1))
    conn:execute(update, {a = 33})
    assert.same({"10 2 7 nil", "33 2 7 9", "11 12 7 nil", "13 14 7 nil"}, rows())
  end)

  it("keep an SQL expression of values()", function()
    conn:execute(ag.insert(t):values{a = ag.func.abs(-4)}, {a = 10, b = 1})
    assert.same({"4 1 7 nil"}, rows())
  end)

  it("tell which columns were filled before and by the server", function()
    local r = conn:execute(ag.insert(t):values{a = 1})
    assert.same({t.c.b}, r:prefetch_cols())
    assert.same({t.c.c}, r:postfetch_cols())
    assert.same({t.c.d}, conn:execute(ag.update(t):values{a = 2}):prefetch_cols())
    assert.is_true(r:supports_sane_rowcount())
    assert.is_true(r:supports_sane_multi_rowcount())
    local read = conn:execute(ag.select(t))
    for _, name in ipairs{"prefetch_cols", "postfetch_cols"} do
      local _, e = ag.try(read[name], read)
      assert.is_true(e:is(ag.exc.InvalidRequestError))
    end
  end)

  it("give a key of nothing where none comes back", function()
    for _, stmt in ipairs{ag.insert(t):values{{a = 1}, {a = 2}}, ag.insert(t):from_select({"a"}, ag.select(ag.literal(5))),
      ag.insert(t):values{a = 1}:inline()} do
      local key = conn:execute(stmt).inserted_primary_key
      assert.equal(1, #key)
      assert.is_nil(key.id)
    end
  end)
end)
