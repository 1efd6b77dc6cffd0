-- Many sets for one INSERT: each is read from its table when it is sent, so what tables hold, lack or become meanwhile matters.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("an INSERT with many sets", function()
  local engine, conn, t

  before_each(function()
    engine = db.engine()
    local metadata = ag.MetaData()
    t = ag.Table("many_sets", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("name", ag.Text), ag.Column("n", ag.Integer), ag.Column("price", ag.Numeric(12, 2)),
      ag.Column("data", ag.JSON), ag.Column("flag", ag.Boolean),
    })
    metadata:drop_all(engine)
    metadata:create_all(engine)
    conn = engine:connect()
  end)
  after_each(function()
    conn:close()
    t.metadata:drop_all(engine)
    engine:dispose()
  end)

  local function rows(...) return conn:execute(ag.select(...):order_by(t.c.id)):all() end

  it("takes values of every kind", function()
    local sets = {}
    for i = 1, 50 do
      sets[i] = {name = "name " .. i, n = i, price = ag.decimal(i .. ".25"), data = {i, tostring(i)}, flag = i % 2 == 0}
    end
    sets[7].name, sets[8].data, sets[9].price = ag.null, ag.null, ag.null
    conn:execute(ag.insert(t), sets)
    local got = rows(t)
    assert.equal(50, #got)
    for i, row in ipairs(got) do
      assert.equal(sets[i].n, row.n)
      assert.equal(i ~= 7 and "name " .. i or nil, row.name)
      assert.equal(i ~= 9 and i .. ".25" or "nil", tostring(row.price))
      assert.equal(i % 2 == 0, row.flag)
      if i ~= 8 then assert.equal(tostring(i), row.data[2]) end
    end
  end)

  it("knows the keys that the database made, also beside keys that were given", function()
    local sets = {}
    for i = 1, 40 do sets[i] = {n = i} end
    for i = 21, 30 do sets[i].id = 1000 + i end
    local result = conn:execute(ag.insert(t), sets)
    local keys = result.inserted_primary_key_rows
    assert.equal(40, #keys)
    assert.equal(40, result.rowcount)
    for i, key in ipairs(keys) do
      assert.equal(i, conn:scalar(ag.select(t.c.n):where(t.c.id:eq(key.id))))
      if i > 20 and i <= 30 then assert.equal(1000 + i, key.id) end
    end
  end)

  it("groups sets by their keys, which may turn up late", function()
    local sets = {}
    for i = 1, 60 do sets[i] = {n = i} end
    for i = 30, 60 do sets[i].name = "x" .. i end
    sets[45].flag, sets[46].name = true, nil
    sets[60].price = ag.decimal "1.00"
    conn:execute(ag.insert(t), sets)
    local got = rows(t)
    assert.equal(60, #got)
    for i, row in ipairs(got) do
      assert.equal(i, row.n)
      assert.equal((i >= 30 and i ~= 46) and "x" .. i or nil, row.name)
    end
    assert.is_true(got[45].flag)
    assert.equal("1.00", tostring(got[60].price))
  end)

  it("takes more names over all sets than any set has", function()
    local columns, sets = {ag.Column("id", ag.Integer, {primary_key = true})}, {}
    for i = 1, 60 do columns[#columns + 1] = ag.Column("c" .. i, ag.Text) end
    local wide = ag.Table("many_wide", ag.MetaData(), columns)
    wide:create(conn)
    for i = 1, 60 do sets[i] = {["c" .. i] = ("text of column %d, longer than short strings are"):format(i)} end
    conn:execute(ag.insert(wide), sets)
    for i, row in ipairs(conn:execute(ag.select(wide):order_by(wide.c.id)):all()) do assert.equal(sets[i]["c" .. i], row["c" .. i]) end
    for i = 1, 60 do for k = 1, 60 do sets[i]["c" .. k] = "v" .. k end end
    conn:execute(ag.insert(wide), sets)
    assert.equal(120, conn:scalar(ag.select(ag.func.count()):select_from(wide)))
    conn:rollback()
  end)

  it("says which set cannot be read, or has a name that is no column", function()
    local sets = {}
    for i = 1, 20 do sets[i] = {n = i} end
    sets[12] = {n = print}
    expect.raises("ArgumentError", {"bad argument #2 to Connection:execute", "'n' of set 12"}, conn.execute, conn, ag.insert(t), sets)
    conn:rollback()
    sets[12] = 5
    expect.raises("ArgumentError", {"set 12 of the parameters", "expected a table"}, conn.execute, conn, ag.insert(t), sets)
    conn:rollback()
    sets[12] = {[1] = 5}
    expect.raises("ArgumentError", "parameters go by name", conn.execute, conn, ag.insert(t), sets)
    conn:rollback()
    sets[12] = {m = 5}
    expect.raises("CompileError", "m", conn.execute, conn, ag.insert(t), sets)
    conn:rollback()
    sets[12] = {n = "12"}
    expect.raises("DataError", "n", conn.execute, conn, ag.insert(t), sets)
    conn:rollback()
    assert.equal(0, conn:scalar(ag.select(ag.func.count()):select_from(t)))
  end)

  it("does not mind what becomes of the tables while it runs", function()
    local sets = {}
    local made = ag.Table("many_made", ag.MetaData(), {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text),
      ag.Column("at", ag.Integer, {default = function()
        for i = 1, #sets do if sets[i] then sets[i].name = ("changed %d, and not a short string any more"):format(i) end end
        collectgarbage()
        return 1
      end}),
    })
    made:create(conn)
    for i = 1, 40 do sets[i] = {name = ("as it was given: %d, longer than short strings"):format(i)} end
    conn:execute(ag.insert(made), sets)
    local names = conn:execute(ag.select(made.c.name)):scalars():all()
    assert.equal(40, #names)
    for _, name in ipairs(names) do assert.is_truthy(name:find("^changed ") or name:find("^as it was")) end
    conn:rollback()
  end)

  it("shows listeners all sets", function()
    local sets, seen, one = {}, {}, {}
    for i = 1, 30 do sets[i] = {n = i} end
    sets[20].name = "other keys"
    ag.event.listen(engine, "before_execute", function(_, _, multiparams) one[#one + 1] = #multiparams end)
    ag.event.listen(engine, "before_cursor_execute", function(_, _, statement, parameters) seen[#seen + 1] = {statement, parameters} end)
    conn:execute(ag.insert(t), sets)
    assert.same({30}, one)
    assert.equal(3, #seen) -- the sets before the one with other keys, it, those behind it
    if db.sqlite then
      assert.equal(19, #seen[1][2])
      assert.equal(7, seen[1][2][7][1])
      assert.equal(10, #seen[3][2])
    end
    assert.equal(30, conn:scalar(ag.select(ag.func.count()):select_from(t)))
  end)
end)
