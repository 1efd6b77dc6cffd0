--- INSERT, UPDATE and DELETE through Core: what ends up in the table, and what comes back.
local ag = require "argent"
local db = require "spec.support.db"

--- Arrays of arrays; NULL is ag.null, so that nothing has holes.
local function rows_of(result)
  local out = {}
  for _, row in ipairs(result:all()) do
    local values = {}
    for i = 1, #row do
      local v = row[i]
      if v == nil then v = ag.null end
      values[i] = v
    end
    out[#out + 1] = values
  end
  return out
end

local function raises(class, pattern, f, ...)
  local value, e = ag.try(f, ...)
  assert.is_nil(value)
  assert.is_truthy(e, "nothing was raised")
  assert(e:is(class), "another error: " .. tostring(e))
  if pattern then assert.matches(pattern, tostring(e)) end
  return e
end

describe("Core DML", function()
  local engine, conn, metadata, users, calls

  before_each(function()
    engine = db.engine()
    metadata = ag.MetaData()
    calls = 0
    users = ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("email", ag.String(120), {nullable = false, unique = true}),
      ag.Column("name", ag.Text),
      ag.Column("age", ag.Integer, {default = 18}),
      ag.Column("serial", ag.Integer, {default = function()
        calls = calls + 1
        return 100 + calls
      end}),
      ag.Column("twice", ag.Integer, {default = ag.text "(1 + 1)"}),
      ag.Column("state", ag.String(10), {server_default = "new"}),
    })
    metadata:create_all(engine)
    conn = engine:connect()
  end)

  after_each(function()
    conn:close()
    db.cleanup()
  end)

  local function everything(...)
    local columns = {...}
    if #columns == 0 then columns = {users.c.email, users.c.name, users.c.age} end
    return rows_of(conn:execute(ag.select(columns):order_by(users.c.id)))
  end

  describe("insert", function()
    it("stores one row given to values", function()
      conn:execute(ag.insert(users):values{email = "a@x", name = "ann", age = 30})
      assert.same({{"a@x", "ann", 30}}, everything())
    end)

    it("stores one row given to execute", function()
      conn:execute(ag.insert(users), {email = "a@x", name = "ann", age = 30})
      assert.same({{"a@x", "ann", 30}}, everything())
    end)

    it("is also a method of the table", function()
      conn:execute(users:insert():values{email = "a@x"})
      assert.same({{"a@x", ag.null, 18}}, everything())
    end)

    it("stores NULL for ag.null, and does not take the default for it", function()
      conn:execute(ag.insert(users):values{email = "a@x", age = ag.null})
      assert.same({{"a@x", ag.null, ag.null}}, everything())
    end)

    it("fills in defaults: a value, a function, SQL, the server's", function()
      conn:execute(ag.insert(users):values{email = "a@x"})
      assert.same({{18, 101, 2, "new"}}, everything(users.c.age, users.c.serial, users.c.twice, users.c.state))
    end)

    it("calls a default function once for each row", function()
      conn:execute(ag.insert(users), {{email = "a@x"}, {email = "b@x"}, {email = "c@x", serial = 1}})
      assert.same({{101}, {102}, {1}}, everything(users.c.serial))
      assert.equal(2, calls)
    end)

    it("takes SQL expressions as values", function()
      conn:execute(ag.insert(users):values{email = ag.func.lower("A@X"), age = ag.literal(20) + 1})
      assert.same({{"a@x", ag.null, 21}}, everything())
    end)

    it("takes column objects as keys", function()
      conn:execute(ag.insert(users):values{[users.c.email] = "a@x", [users.c.age] = 5})
      assert.same({{"a@x", ag.null, 5}}, everything())
    end)

    it("stores several rows of one VALUES", function()
      conn:execute(ag.insert(users):values{{email = "a@x", age = 1}, {email = "b@x", age = 2}, {email = "c@x", age = 3}})
      assert.same({{"a@x", ag.null, 1}, {"b@x", ag.null, 2}, {"c@x", ag.null, 3}}, everything())
    end)

    it("stores a list of rows given to execute (executemany)", function()
      local result = conn:execute(ag.insert(users), {{email = "a@x", age = 1}, {email = "b@x", age = 2}})
      assert.equal(2, result.rowcount)
      assert.same({{"a@x", ag.null, 1}, {"b@x", ag.null, 2}}, everything())
    end)

    it("stores rows with different keys; a missing key takes its default", function()
      conn:execute(ag.insert(users), {
        {email = "a@x", age = 1}, {email = "b@x", name = "bob"}, {email = "c@x", name = "cy", age = 3}, {email = "d@x"},
      })
      assert.same({{"a@x", ag.null, 1}, {"b@x", "bob", 18}, {"c@x", "cy", 3}, {"d@x", ag.null, 18}}, everything())
    end)

    it("stores a thousand rows in order", function()
      local rows = {}
      for i = 1, 1000 do rows[i] = {email = i .. "@x", age = i} end
      conn:execute(ag.insert(users), rows)
      local n, sum = ag.unpack(conn:execute(ag.select(ag.func.count(), ag.func.sum(users.c.age)):select_from(users)):one())
      assert.equal(1000, n)
      assert.equal(500500, math.tointeger(tonumber(tostring(sum))))
    end)

    it("refuses an empty list, and takes {{}} for one row of defaults", function()
      raises(ag.exc.ArgumentError, nil, conn.execute, conn, ag.insert(users), {})
      local t = ag.Table("notes", metadata, {
        ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("n", ag.Integer, {server_default = "7"}),
      })
      t:create(conn)
      conn:execute(ag.insert(t), {{}})
      assert.same({{1, 7}}, rows_of(conn:execute(ag.select(t))))
    end)

    it("gives the key of the row stored", function()
      local result = conn:execute(ag.insert(users):values{email = "a@x"})
      assert.equal(1, result.inserted_primary_key[1])
      assert.equal(1, result.inserted_primary_key.id)
      assert.equal(2, conn:execute(ag.insert(users):values{email = "b@x"}).inserted_primary_key.id)
      assert.equal(40, conn:execute(ag.insert(users):values{id = 40, email = "c@x"}).inserted_primary_key.id)
    end)

    it("gives back what RETURNING names", function()
      local result = conn:execute(ag.insert(users):values{email = "a@x"}:returning(users.c.id, users.c.age, users.c.state))
      assert.same({{1, 18, "new"}}, rows_of(result))
    end)

    it("gives back RETURNING of every row of a list", function()
      local result = conn:execute(ag.insert(users):returning(users.c.id, users.c.email), {
        {email = "a@x"}, {email = "b@x"}, {email = "c@x"},
      })
      local got = rows_of(result)
      table.sort(got, function(a, b) return a[1] < b[1] end)
      assert.same({{1, "a@x"}, {2, "b@x"}, {3, "c@x"}}, got)
    end)

    it("gives back an expression in RETURNING", function()
      local stmt = ag.insert(users):values{email = "a@x", age = 20}:returning((users.c.age * 2):label("double"))
      assert.equal(40, conn:execute(stmt):one().double)
    end)

    it("copies from a select", function()
      conn:execute(ag.insert(users), {{email = "a@x", age = 1}, {email = "b@x", age = 2}})
      local copy = ag.Table("copies", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("mail", ag.Text)})
      copy:create(conn)
      conn:execute(ag.insert(copy):from_select({"mail"}, ag.select(users.c.email):where(users.c.age:gt(1))))
      assert.same({{"b@x"}}, rows_of(conn:execute(ag.select(copy.c.mail))))
    end)

    it("names the nearest column when one is unknown", function()
      raises(ag.exc.CompileError, "email", function() return ag.insert(users):values{emial = "a@x"} end)
      raises(ag.exc.CompileError, "email", function() conn:execute(ag.insert(users), {emial = "a@x"}) end)
      raises(ag.exc.CompileError, "email", function() conn:execute(ag.insert(users), {{email = "b@x"}, {emial = "a@x"}}) end)
    end)

    it("refuses a value that is not of the column's type, and names the column", function()
      raises(ag.exc.DataError, "age", function() conn:execute(ag.insert(users):values{email = "a@x", age = "12"}) end)
      raises(ag.exc.DataError, "name", function() conn:execute(ag.insert(users):values{email = "a@x", name = 12}) end)
    end)

    it("raises IntegrityError with constraint fields", function()
      conn:execute(ag.insert(users):values{email = "a@x"})
      conn:commit()
      local e = raises(ag.exc.IntegrityError, nil, function() conn:execute(ag.insert(users):values{email = "a@x"}) end)
      assert.equal("23505", e.sqlstate)
      conn:rollback()
      e = raises(ag.exc.IntegrityError, nil, function() conn:execute(ag.insert(users):values{email = ag.null}) end)
      assert.equal("23502", e.sqlstate)
      assert.equal("email", e.column)
      conn:rollback()
      assert.same({{"a@x", ag.null, 18}}, everything())
    end)
  end)

  describe("upsert", function()
    before_each(function()
      conn:execute(ag.insert(users), {{email = "a@x", age = 10}, {email = "b@x", age = 50}})
    end)

    it("does nothing on a conflict", function()
      conn:execute(ag.insert(users):values{email = "a@x", age = 99}:on_conflict_do_nothing())
      conn:execute(ag.insert(users):values{email = "a@x", age = 98}:on_conflict_do_nothing{index_elements = {"email"}})
      assert.same({{"a@x", ag.null, 10}, {"b@x", ag.null, 50}}, everything())
    end)

    it("updates with the excluded row", function()
      local ins = ag.insert(users):values{email = "a@x", age = 30}
      conn:execute(ins:on_conflict_do_update{index_elements = {users.c.email}, set = {age = ins.excluded.age}})
      assert.same({{"a@x", ag.null, 30}, {"b@x", ag.null, 50}}, everything())
    end)

    it("updates where a condition holds", function()
      for _, email in ipairs{"a@x", "b@x"} do
        local ins = ag.insert(users):values{email = email, age = 30}
        conn:execute(ins:on_conflict_do_update{
          index_elements = {users.c.email}, set = {age = ins.excluded.age}, where = users.c.age:lt(ins.excluded.age),
        })
      end
      assert.same({{"a@x", ag.null, 30}, {"b@x", ag.null, 50}}, everything())
    end)

    it("updates many rows, and stores those that are new", function()
      local ins = ag.insert(users)
      ins = ins:on_conflict_do_update{
        index_elements = {users.c.email}, set = {[users.c.age] = users.c.age + ins.excluded.age, name = "again"},
      }
      conn:execute(ins, {{email = "a@x", age = 1}, {email = "c@x", age = 2}, {email = "b@x", age = 3}})
      assert.same({{"a@x", "again", 11}, {"b@x", "again", 53}, {"c@x", ag.null, 2}}, everything())
    end)

    it("gives back the row either way", function()
      local ins = ag.insert(users):values{email = "a@x", age = 30}
      ins = ins:on_conflict_do_update{index_elements = {"email"}, set = {age = ins.excluded.age}}:returning(users.c.id, users.c.age)
      assert.same({{1, 30}}, rows_of(conn:execute(ins)))
    end)
  end)

  describe("update", function()
    before_each(function()
      conn:execute(ag.insert(users), {
        {email = "a@x", age = 10}, {email = "b@x", age = 20}, {email = "c@x", age = 30},
      })
    end)

    it("changes the rows that match and says how many", function()
      local result = conn:execute(ag.update(users):where(users.c.age:ge(20)):values{name = "old"})
      assert.equal(2, result.rowcount)
      assert.same({{"a@x", ag.null, 10}, {"b@x", "old", 20}, {"c@x", "old", 30}}, everything())
    end)

    it("changes nothing when nothing matches", function()
      assert.equal(0, conn:execute(ag.update(users):where(users.c.age:gt(100)):values{name = "old"}).rowcount)
    end)

    it("takes expressions over the row", function()
      conn:execute(ag.update(users):where(users.c.email:eq("b@x")):values{age = users.c.age + 1})
      assert.same({{"a@x", ag.null, 10}, {"b@x", ag.null, 21}, {"c@x", ag.null, 30}}, everything())
    end)

    it("sets NULL", function()
      conn:execute(ag.update(users):values{age = ag.null})
      assert.same({{ag.null}, {ag.null}, {ag.null}}, everything(users.c.age))
    end)

    it("takes a subquery as value", function()
      local u2 = users:alias("u2")
      local most = ag.select(ag.func.max(u2.c.age)):scalar_subquery()
      conn:execute(ag.update(users):where(users.c.email:eq("a@x")):values{age = most})
      assert.same({{30}, {20}, {30}}, everything(users.c.age))
    end)

    it("runs for each set of parameters", function()
      local stmt = ag.update(users):where(users.c.email:eq(ag.bindparam("which"))):values{age = ag.bindparam("new_age")}
      local result = conn:execute(stmt, {{which = "a@x", new_age = 1}, {which = "c@x", new_age = 3}})
      assert.equal(2, result.rowcount)
      assert.same({{1}, {20}, {3}}, everything(users.c.age))
    end)

    it("gives back what it changed", function()
      local stmt = ag.update(users):where(users.c.age:lt(25)):values{age = users.c.age * 2}:returning(users.c.email, users.c.age)
      local got = rows_of(conn:execute(stmt))
      table.sort(got, function(a, b) return a[1] < b[1] end)
      assert.same({{"a@x", 20}, {"b@x", 40}}, got)
    end)

    it("changes by another table's rows", function()
      local t = ag.Table("renames", metadata, {ag.Column("mail", ag.String(120)), ag.Column("name", ag.Text)})
      t:create(conn)
      conn:execute(ag.insert(t), {{mail = "a@x", name = "ann"}, {mail = "c@x", name = "cy"}})
      conn:execute(ag.update(users):where(users.c.email:eq(t.c.mail)):values{name = t.c.name})
      assert.same({{"ann"}, {ag.null}, {"cy"}}, everything(users.c.name))
    end)

    it("names the nearest column when one is unknown", function()
      raises(ag.exc.CompileError, "age", function() return ag.update(users):values{aeg = 3} end)
    end)
  end)

  describe("delete", function()
    before_each(function()
      conn:execute(ag.insert(users), {
        {email = "a@x", age = 10}, {email = "b@x", age = 20}, {email = "c@x", age = 30},
      })
    end)

    it("removes the rows that match and says how many", function()
      assert.equal(2, conn:execute(ag.delete(users):where(users.c.age:lt(25))).rowcount)
      assert.same({{"c@x", ag.null, 30}}, everything())
    end)

    it("joins conditions with and, or, not", function()
      local c = users.c
      conn:execute(ag.delete(users):where((c.age:lt(15) | c.age:gt(25)) & ~c.email:eq("c@x")))
      assert.same({{"b@x"}, {"c@x"}}, everything(c.email))
    end)

    it("gives back what it removed", function()
      assert.same({{"b@x"}}, rows_of(conn:execute(ag.delete(users):where(users.c.age:eq(20)):returning(users.c.email))))
      assert.equal(2, conn:scalar(ag.select(ag.func.count()):select_from(users)))
    end)

    it("removes everything without a condition", function()
      assert.equal(3, conn:execute(users:delete()).rowcount)
      assert.same({}, everything())
    end)

    it("removes by a subquery", function()
      local u2 = users:alias("u2")
      conn:execute(ag.delete(users):where(users.c.id:in_(ag.select(u2.c.id):where(u2.c.age:gt(10)))))
      assert.same({{"a@x"}}, everything(users.c.email))
    end)

    it("refuses a Lua boolean as condition", function()
      raises(ag.exc.ArgumentError, "eq", function() return ag.delete(users):where(users.c.id == 5) end)
    end)
  end)
end)
