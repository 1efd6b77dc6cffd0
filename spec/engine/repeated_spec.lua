-- A statement that is executed again keeps what its first execution found out (types, columns, the shape of its rows) as long as the
-- database describes its result as then.
local ag = require "argent"

describe("a repeated statement", function()
  local engine, conn

  before_each(function()
    engine = ag.create_engine("sqlite://")
    conn = engine:connect()
    conn:exec_driver_sql("create table berries (id integer primary key, name text)")
    conn:exec_driver_sql("insert into berries values (1, 'sloe')")
  end)

  after_each(function()
    conn:close()
    engine:dispose()
  end)

  it("has the columns that a * means now", function()
    local stmt = ag.select(ag.literal_column("*")):select_from(ag.table("berries"))
    for _ = 1, 3 do
      assert.same({"id", "name"}, conn:execute(stmt):keys())
    end
    conn:exec_driver_sql("alter table berries add column colour text default 'blue'")
    for _ = 1, 3 do
      local result = conn:execute(stmt)
      assert.same({"id", "name", "colour"}, result:keys())
      assert.same({id = 1, name = "sloe", colour = "blue"}, ag.to_table(result:one()))
    end
    conn:exec_driver_sql("alter table berries rename column colour to tint")
    assert.same({id = 1, name = "sloe", tint = "blue"}, ag.to_table(conn:execute(stmt):one()))
    conn:exec_driver_sql("alter table berries drop column tint")
    for _ = 1, 2 do
      assert.same({id = 1, name = "sloe"}, ag.to_table(conn:execute(stmt):one()))
    end
  end)

  it("keeps its own names and types", function()
    local md = ag.MetaData()
    local berries = ag.Table("berries", md, ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text),
      ag.Column("doc", ag.JSON))
    conn:exec_driver_sql("alter table berries add column doc text")
    conn:execute(ag.update(berries):values{doc = {n = 7}})
    for i = 1, 3 do
      local row = conn:execute(ag.select(berries.c.name:label("called"), berries.c.doc):where(berries.c.id:eq(1))):one()
      assert.equal("sloe", row.called)
      assert.equal(7, row.doc.n, "execution " .. i)
      assert.equal("sloe", row[berries.c.name])
    end
  end)

  it("sends every list of values with the types of its own binds", function()
    local md = ag.MetaData()
    local berries = ag.Table("berries", md, ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text))
    for n = 1, 4 do
      local ids = {}
      for i = 1, n do ids[i] = i end
      assert.equal(1, conn:execute(ag.select(berries.c.id):where(berries.c.id:in_(ids))):scalar())
      assert.equal("sloe", conn:execute(ag.select(berries.c.name):where(berries.c.name:in_{"sloe", "x" .. n})):scalar())
    end
    local open = ag.select(berries.c.id):where(berries.c.id:in_(ag.bindparam("ids", {expanding = true})))
    assert.equal(1, conn:execute(open, {ids = {1, 2}}):scalar())
    assert.equal(1, conn:execute(open, {ids = {1, 2, 3}}):scalar())
    assert.is_nil(conn:execute(open, {ids = {}}):scalar())
  end)

  it("is known again as an object, with its own values", function()
    local md = ag.MetaData()
    local berries = ag.Table("berries", md, ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text))
    conn:execute(ag.insert(berries), {{id = 2, name = "haw"}, {id = 3, name = "hip"}})
    local function named(name) return ag.select(berries.c.id):where(berries.c.name:eq(name)) end
    local haw, hip = named("haw"), named("hip")
    for _ = 1, 4 do -- of one tree, in turns: each has its own value
      assert.equal(2, conn:execute(haw):scalar())
      assert.equal(3, conn:execute(hip):scalar())
      assert.equal(3, conn:execute(hip):scalar())
    end
    assert.equal(1, conn:execute(haw:with_only_columns(ag.func.count())):scalar())
    for i = 1, 60 do -- new objects where old ones were
      assert.equal(i % 2 == 0 and 2 or 3, conn:execute(named(i % 2 == 0 and "haw" or "hip")):scalar())
      if i % 7 == 0 then collectgarbage() end
    end
    local by = ag.select(berries.c.name):where(berries.c.id:eq(ag.bindparam("id")))
    for id, name in ipairs{"sloe", "haw", "hip"} do
      assert.equal(name, conn:execute(by, {id = id}):scalar())
      assert.equal(name, conn:execute(by, {id = id}):scalar())
    end
    local other = ag.create_engine("sqlite://")
    md:create_all(other)
    other:begin(function(c)
      c:execute(ag.insert(berries), {id = 9, name = "haw"})
      for _ = 1, 3 do assert.equal(9, c:execute(haw):scalar()) end
    end)
    assert.equal(2, conn:execute(haw):scalar())
    other:dispose()
  end)
end)

describe("a repeated INSERT of lists", function()
  local db = require "spec.support.db"

  it("has the types of one row each time", function()
    local engine = db.engine()
    local md = ag.MetaData()
    local plums = ag.Table("plums", md, ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text))
    md:create_all(engine)
    local stmt = ag.insert(plums)
    engine:begin(function(conn)
      for i = 0, 4 do
        conn:execute(stmt, {{id = 3 * i + 1, name = "a"}, {id = 3 * i + 2, name = "b"}, {id = 3 * i + 3, name = "c"}})
      end
      conn:execute(stmt, {id = 100, name = "d"})
      assert.equal(16, conn:execute(ag.select(ag.func.count()):select_from(plums)):scalar())
    end)
    db.cleanup()
  end)
end)
