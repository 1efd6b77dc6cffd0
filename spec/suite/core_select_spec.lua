--- SELECT through Core over a small shop: every answer is compared with rows written by hand.
local ag = require "argent"
local db = require "spec.support.db"

local NULL = ag.null

local function rows_of(result)
  local out = {}
  for _, row in ipairs(result:all()) do
    local values = {}
    for i = 1, #row do
      local v = row[i]
      if v == nil then v = NULL end
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
end

describe("Core select", function()
  local engine, conn, metadata, users, orders, nodes, u, o, n

  setup(function()
    engine = db.engine()
    metadata = ag.MetaData()
    users = ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("name", ag.Text),
      ag.Column("age", ag.Integer),
      ag.Column("city", ag.Text),
    })
    orders = ag.Table("orders", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")),
      ag.Column("item", ag.Text),
      ag.Column("price", ag.Integer),
    })
    nodes = ag.Table("nodes", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("parent_id", ag.Integer, ag.ForeignKey("nodes.id")),
      ag.Column("name", ag.Text),
    })
    u, o, n = users.c, orders.c, nodes.c
    metadata:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(users), {
      {id = 1, name = "ann", age = 30, city = "Rome"}, {id = 2, name = "bob", age = 20, city = "Oslo"},
      {id = 3, name = "cy", age = NULL, city = "Rome"}, {id = 4, name = "dee", age = 40, city = NULL},
    })
    conn:execute(ag.insert(orders), {
      {id = 1, user_id = 1, item = "pen", price = 3}, {id = 2, user_id = 1, item = "ink", price = 7},
      {id = 3, user_id = 2, item = "pen", price = 4}, {id = 4, user_id = NULL, item = "cup", price = 9},
    })
    conn:execute(ag.insert(nodes), {
      {id = 1, parent_id = NULL, name = "root"}, {id = 2, parent_id = 1, name = "left"}, {id = 3, parent_id = 1, name = "right"},
      {id = 4, parent_id = 2, name = "leaf"},
    })
    conn:commit()
  end)

  teardown(function()
    conn:close()
    db.cleanup()
  end)

  after_each(function() conn:rollback() end)

  local function query(stmt, params) return rows_of(conn:execute(stmt, params)) end

  describe("columns and conditions", function()
    it("reads a whole table in column order", function()
      assert.same({{1, "ann", 30, "Rome"}, {2, "bob", 20, "Oslo"}, {3, "cy", NULL, "Rome"}, {4, "dee", 40, NULL}},
        query(ag.select(users):order_by(u.id)))
    end)

    it("gives rows by name, by index, by length", function()
      local row = conn:execute(ag.select(u.name, u.age, u.city:label("town")):where(u.id:eq(3))):one()
      assert.equal(3, #row)
      assert.equal("cy", row.name)
      assert.is_nil(row.age)
      assert.equal("Rome", row.town)
      assert.equal("cy", row[1])
      assert.is_nil(row[4])
      raises(ag.exc.InvalidRequestError, "name", function() return row.nmae end)
    end)

    it("compares", function()
      local function ids(condition) return conn:execute(ag.select(u.id):where(condition):order_by(u.id)):scalars():all() end
      assert.same({1}, ids(u.age:eq(30)))
      assert.same({2, 4}, ids(u.age:ne(30)))
      assert.same({2}, ids(u.age:lt(30)))
      assert.same({1, 2}, ids(u.age:le(30)))
      assert.same({4}, ids(u.age:gt(30)))
      assert.same({1, 4}, ids(u.age:ge(30)))
      assert.same({1, 2}, ids(u.age:between(20, 30)))
      assert.same({1, 3}, ids(u.city:like("R%")))
      assert.same({1, 2, 3}, ids(u.city:ilike("%O%")))
      assert.same({4}, ids(u.name:startswith("d")))
      assert.same({3}, ids(u.name:endswith("y")))
      assert.same({2}, ids(u.name:contains("o")))
      assert.same({}, ids(u.name:contains("%", {autoescape = true})))
      assert.same({1, 3}, ids(u.city:eq("Rome") & (u.age:eq(30) | u.age:is_(nil))))
      assert.same({2, 4}, ids(ag.not_(u.id:in_{1, 3})))
      assert.same({1, 2}, ids(ag.or_(u.id:eq(1), u.id:eq(2))))
      assert.same({2}, ids(ag.and_(u.id:gt(1), u.id:lt(3))))
    end)

    it("knows NULL", function()
      local function ids(condition) return conn:execute(ag.select(u.id):where(condition):order_by(u.id)):scalars():all() end
      assert.same({3}, ids(u.age:is_(nil)))
      assert.same({3}, ids(u.age:is_(NULL)))
      assert.same({3}, ids(u.age:eq(NULL)))
      assert.same({1, 2, 4}, ids(u.age:is_not(nil)))
      assert.same({1, 2, 4}, ids(u.age:ne(NULL)))
      assert.same({3, 4}, ids(u.age:is_distinct_from(30) & u.city:is_distinct_from("Oslo")))
      assert.same({{NULL}, {40}}, query(ag.select(u.age):where(u.id:ge(3)):order_by(u.id)))
      assert.equal(0, conn:scalar(ag.select(ag.func.coalesce(u.age, 0)):where(u.id:eq(3))))
      assert.is_nil(conn:scalar(ag.select(u.age):where(u.id:eq(3))))
    end)

    it("computes", function()
      assert.same({{61, 15, 900, "ann from Rome", -30}}, query(ag.select(
        u.age + 31, u.age - 15, u.age * u.age, u.name .. " from " .. u.city, -u.age):where(u.id:eq(1))))
      assert.equal(15, conn:scalar(ag.select(u.age // 2):where(u.id:eq(1))))
      assert.equal(7.5, tonumber(tostring(conn:scalar(ag.select(u.age / 4):where(u.id:eq(1))))))
      assert.equal(2, conn:scalar(ag.select(u.age % 4):where(u.id:eq(1))))
      assert.equal(70, conn:scalar(ag.select(100 - u.age):where(u.id:eq(1))))
    end)

    it("chooses with case", function()
      local band = ag.case({u.age:lt(25), "young"}, {u.age:ge(25), "old"}, {else_ = "unknown"})
      assert.same({{"old"}, {"young"}, {"unknown"}, {"old"}}, query(ag.select(band):order_by(u.id)))
    end)

    it("casts", function()
      assert.equal("30", conn:scalar(ag.select(ag.cast(u.age, ag.Text)):where(u.id:eq(1))))
      assert.equal(12, conn:scalar(ag.select(ag.cast(ag.literal("12", ag.Text), ag.Integer))))
    end)

    it("sorts, limits, skips, removes duplicates", function()
      assert.same({{4}, {3}}, query(ag.select(u.id):order_by(u.id:desc()):limit(2)))
      assert.same({{2}, {1}}, query(ag.select(u.id):order_by(u.id:desc()):limit(2):offset(2)))
      assert.same({{2}, {1}}, query(ag.select(u.id):order_by(u.id:desc()):offset(2)))
      assert.same({{20}, {30}, {40}, {NULL}}, query(ag.select(u.age):order_by(u.age:asc():nulls_last())))
      assert.same({{NULL}, {40}, {30}, {20}}, query(ag.select(u.age):order_by(u.age:desc():nulls_first())))
      assert.same({{"Oslo"}, {"Rome"}}, query(ag.select(u.city):where(u.city:is_not(nil)):distinct():order_by(u.city)))
      assert.same({{3}, {1}, {2}}, query(ag.select(u.id, u.name:label("who")):order_by(ag.desc("who")):limit(3):with_only_columns(u.id)
        :order_by(nil):order_by(u.city:desc(), u.id:desc()):where(u.city:is_not(nil))))
    end)
  end)

  describe("in_", function()
    local function ids(condition) return conn:execute(ag.select(u.id):where(condition):order_by(u.id)):scalars():all() end

    it("takes values, none at all, subqueries", function()
      assert.same({1, 3}, ids(u.id:in_{1, 3, 77}))
      assert.same({}, ids(u.id:in_{}))
      assert.same({1, 2, 3, 4}, ids(u.id:not_in{}))
      assert.same({2, 4}, ids(u.id:not_in{1, 3}))
      assert.same({1, 2}, ids(u.id:in_(ag.select(o.user_id):where(o.user_id:is_not(nil)))))
    end)

    it("takes 999, 1,000, 1,001 and 2,000 values", function()
      for _, size in ipairs{999, 1000, 1001, 2000} do
        local list = {}
        for i = 1, size do list[i] = i + 1 end
        assert.same({2, 3, 4}, ids(u.id:in_(list)))
        assert.same({1}, ids(u.id:not_in(list)))
      end
    end)

    it("takes 2,000 strings", function()
      local list = {}
      for i = 1, 2000 do list[i] = "name, with \"quotes\" and {braces} \\ " .. i end
      list[1500] = "cy"
      assert.same({3}, ids(u.name:in_(list)))
    end)

    it("uses one statement for lists of other lengths", function()
      for i = 1, 20 do
        local list = {}
        for k = 1, i do list[k] = k end
        assert.equal(math.min(i, 4), #ids(u.id:in_(list)))
      end
    end)
  end)

  describe("joins", function()
    it("finds the condition from the foreign key", function()
      assert.same({{"ann", "pen"}, {"ann", "ink"}, {"bob", "pen"}},
        query(ag.select(u.name, o.item):join(orders):order_by(o.id)))
      assert.same({{"ann", "pen"}, {"ann", "ink"}, {"bob", "pen"}},
        query(ag.select(u.name, o.item):select_from(users:join(orders)):order_by(o.id)))
    end)

    it("keeps rows without a partner in an outer join", function()
      assert.same({{"ann", "pen"}, {"ann", "ink"}, {"bob", "pen"}, {"cy", NULL}, {"dee", NULL}},
        query(ag.select(u.name, o.item):select_from(users:outerjoin(orders, u.id:eq(o.user_id))):order_by(u.id, o.id)))
      assert.same({{"cup", NULL}}, query(ag.select(o.item, u.name):outerjoin_from(orders, users):where(u.id:is_(nil))))
    end)

    it("joins a table with itself", function()
      local parent = nodes:alias("parent")
      assert.same({{"left", "root"}, {"right", "root"}, {"leaf", "left"}},
        query(ag.select(n.name, parent.c.name):join(parent, n.parent_id:eq(parent.c.id)):order_by(n.id)))
    end)

    it("keeps columns of one name apart", function()
      local row = conn:execute(ag.select(u.id, o.id, o.item):join(orders):where(o.id:eq(3))):one()
      assert.equal(2, row[1])
      assert.equal(3, row[2])
      assert.equal("pen", row.item)
    end)

    it("joins a subquery", function()
      local totals = ag.select(o.user_id, ag.func.sum(o.price):label("total")):group_by(o.user_id):subquery("totals")
      assert.same({{"ann", 10}, {"bob", 4}},
        query(ag.select(u.name, totals.c.total):join(totals, totals.c.user_id:eq(u.id)):order_by(u.id)))
    end)
  end)

  describe("aggregates", function()
    it("counts, sums, averages", function()
      local row = conn:execute(ag.select(ag.func.count(u.id), ag.func.count(u.age), ag.func.sum(u.age), ag.func.min(u.age),
        ag.func.max(u.age))):one()
      assert.same({4, 3, 90, 20, 40}, {ag.unpack(row)})
      assert.equal(30, tonumber(tostring(conn:scalar(ag.select(ag.func.avg(u.age))))))
      assert.equal(4, conn:scalar(ag.select(ag.func.count()):select_from(users)))
    end)

    it("gives NULL for the sum of nothing", function()
      assert.is_nil(conn:scalar(ag.select(ag.func.sum(u.age)):where(u.id:gt(99))))
    end)

    it("groups, and filters groups", function()
      local count = ag.func.count():label("n")
      assert.same({{"Oslo", 1}, {"Rome", 2}},
        query(ag.select(u.city, count):where(u.city:is_not(nil)):group_by(u.city):order_by(u.city)))
      assert.same({{"Rome", 2}}, query(ag.select(u.city, count):group_by(u.city):having(ag.func.count():gt(1))))
      assert.same({{"Rome", 2}, {"Oslo", 1}},
        query(ag.select(u.city, count):where(u.city:is_not(nil)):group_by(u.city):order_by(ag.desc("n"))))
    end)

    it("counts distinct values and those of a filter", function()
      assert.equal(2, conn:scalar(ag.select(ag.func.count(ag.distinct(u.city)))))
      assert.equal(1, conn:scalar(ag.select(ag.func.count(u.id):filter(u.age:gt(30)))))
    end)
  end)

  describe("subqueries", function()
    it("correlates a scalar subquery", function()
      local spent = ag.select(ag.func.coalesce(ag.func.sum(o.price), 0)):where(o.user_id:eq(u.id)):scalar_subquery()
      assert.same({{"ann", 10}, {"bob", 4}, {"cy", 0}, {"dee", 0}}, query(ag.select(u.name, spent:label("spent")):order_by(u.id)))
    end)

    it("asks whether rows exist", function()
      local bought = ag.exists(ag.select(o.id):where(o.user_id:eq(u.id)))
      assert.same({{"ann"}, {"bob"}}, query(ag.select(u.name):where(bought):order_by(u.id)))
      assert.same({{"cy"}, {"dee"}}, query(ag.select(u.name):where(~bought):order_by(u.id)))
    end)

    it("selects from a subquery", function()
      local sub = ag.select(u.name, (u.age * 2):label("double")):where(u.age:gt(20)):subquery()
      assert.same({{"ann", 60}, {"dee", 80}}, query(ag.select(sub.c.name, sub.c.double):order_by(sub.c.name)))
    end)
  end)

  describe("common table expressions", function()
    it("names a query", function()
      local rich = ag.select(o.user_id, ag.func.sum(o.price):label("total")):where(o.user_id:is_not(nil)):group_by(o.user_id):cte("rich")
      assert.same({{"ann", 10}}, query(ag.select(u.name, rich.c.total):join(rich, rich.c.user_id:eq(u.id)):where(rich.c.total:gt(5))))
    end)

    it("walks a tree", function()
      local tree = ag.select(n.id, n.name, ag.literal(0):label("depth")):where(n.parent_id:is_(nil)):cte("tree", {recursive = true})
      tree = tree:union_all(ag.select(n.id, n.name, tree.c.depth + 1):join(tree, n.parent_id:eq(tree.c.id)))
      assert.same({{"root", 0}, {"left", 1}, {"right", 1}, {"leaf", 2}},
        query(ag.select(tree.c.name, tree.c.depth):order_by(tree.c.depth, tree.c.id)))
    end)

    it("counts to ten thousand", function()
      local t = ag.select(ag.literal(1):label("n")):cte("t", {recursive = true})
      t = t:union_all(ag.select(t.c.n + 1):where(t.c.n:lt(10000)))
      assert.equal(10000, conn:scalar(ag.select(ag.func.max(t.c.n))))
    end)
  end)

  describe("compounds", function()
    local function names(condition) return ag.select(u.name):where(condition) end

    it("unites, intersects, subtracts", function()
      local function sorted(stmt)
        local list = conn:execute(stmt):scalars():all()
        table.sort(list)
        return list
      end
      local rome, old = names(u.city:eq("Rome")), names(u.age:ge(30))
      assert.same({"ann", "cy", "dee"}, sorted(ag.union(rome, old)))
      assert.same({"ann", "ann", "cy", "dee"}, sorted(ag.union_all(rome, old)))
      assert.same({"ann"}, sorted(ag.intersect(rome, old)))
      assert.same({"cy"}, sorted(ag.except_(rome, old)))
      assert.same({"ann", "cy", "dee"}, sorted(rome:union(old)))
    end)

    it("sorts and limits the whole", function()
      local both = ag.union_all(names(u.id:eq(1)), names(u.id:eq(2)), names(u.id:eq(4)))
      assert.same({{"dee"}, {"bob"}}, query(both:order_by(ag.desc("name")):limit(2)))
    end)

    it("stands in a subquery", function()
      local sub = ag.union_all(ag.select(u.name:label("what")), ag.select(o.item:label("what"))):subquery()
      assert.equal(8, conn:scalar(ag.select(ag.func.count(sub.c.what))))
    end)
  end)

  describe("windows", function()
    it("numbers rows within a partition", function()
      local rank = ag.func.row_number():over{partition_by = o.user_id, order_by = o.price:desc()}
      assert.same({{"pen", 2}, {"ink", 1}, {"pen", 1}},
        query(ag.select(o.item, rank:label("rank")):where(o.user_id:is_not(nil)):order_by(o.id)))
    end)

    it("sums with a frame", function()
      local running = ag.func.sum(o.price):over{order_by = o.id, rows = {NULL, 0}}
      assert.same({{3}, {10}, {14}, {23}}, query(ag.select(running):order_by(o.id)))
    end)

    it("looks back", function()
      assert.same({{NULL}, {3}, {7}, {4}}, query(ag.select(ag.func.lag(o.price):over{order_by = o.id}):order_by(o.id)))
    end)
  end)

  describe("text", function()
    it("takes parameters", function()
      assert.same({{"ann"}}, query(ag.text "select name from users where age > :low and age < :high", {low = 25, high = 35}))
      assert.equal(2, conn:scalar(ag.text "select count(*) from users where city = :city", {city = "Rome"}))
    end)

    it("uses one parameter in several places", function()
      assert.same({{2, 2}}, query(ag.text "select id, id from users where id = :x or id - 0 = :x", {x = 2}))
    end)

    it("keeps values out of the SQL", function()
      assert.equal(0, conn:scalar(ag.text "select count(*) from users where name = :name", {name = "x' or '1'='1"}))
    end)

    it("leaves colons in literals and casts alone", function()
      assert.same({{":not", "12:30"}}, query(ag.text "select ':not', '12:30'"))
      assert.equal(":x", conn:scalar(ag.text "select '\\:x'") :gsub("\\", ""))
      assert.equal("7", tostring(conn:scalar(ag.text "select cast(:x as integer)", {x = 7})))
    end)

    it("passes NULL", function()
      assert.equal(4, conn:scalar(ag.text "select count(*) from users where cast(:x as text) is null", {x = NULL}))
    end)

    it("raises for a missing or an unknown parameter", function()
      raises(ag.exc.StatementError, "city", conn.execute, conn, ag.text "select * from users where city = :city")
      raises(ag.exc.StatementError, "did you mean 'city'", conn.execute, conn, ag.text "select * from users where city = :city", {ctiy = "Rome"})
    end)

    it("stands in a condition", function()
      assert.same({{1}}, query(ag.select(u.id):where(ag.text "age = 30")))
      assert.same({{1}}, query(ag.select(u.id):where(ag.text("age = :age"):bindparams{age = 30})))
    end)
  end)

  describe("results", function()
    it("reads them in every shape", function()
      local stmt = ag.select(u.id, u.name):order_by(u.id)
      assert.equal("ann", conn:execute(stmt):first().name)
      assert.is_nil(conn:execute(stmt:where(u.id:gt(9))):first())
      raises(ag.exc.NoResultFound, nil, function() return conn:execute(stmt:where(u.id:gt(9))):one() end)
      raises(ag.exc.MultipleResultsFound, nil, function() return conn:execute(stmt):one() end)
      assert.is_nil(conn:execute(stmt:where(u.id:gt(9))):one_or_none())
      assert.equal(1, conn:execute(stmt):scalar())
      assert.same({"ann", "bob", "cy", "dee"}, conn:execute(stmt):scalars("name"):all())
      assert.same({"id", "name"}, conn:execute(stmt):keys())
      assert.same({id = 2, name = "bob"}, conn:execute(stmt:where(u.id:eq(2))):mappings():one())
      local seen = {}
      for i, id, name in conn:execute(stmt):tuples() do seen[i] = id .. name end
      assert.same({"1ann", "2bob", "3cy", "4dee"}, seen)
      seen = {}
      for row in conn:execute(stmt):rows() do
        seen[#seen + 1] = row.id
        if row.id == 2 then break end
      end
      assert.same({1, 2}, seen)
    end)
  end)

  it("refuses what it does not know, at the line that says it", function()
    raises(ag.exc.ArgumentError, nil, function() return ag.select("nmae") end)
    raises(ag.exc.ArgumentError, nil, function() return ag.select(u.id):where("x = 1") end)
    raises(ag.exc.ArgumentError, nil, function() return ag.select(u.id):where(u.id == 5) end)
    raises(ag.exc.ArgumentError, nil, function() return ag.select(u.id):limit(-1) end)
    raises(ag.exc.ArgumentError, nil, function() return ag.select(u.id):limit("5") end)
    raises(ag.exc.ArgumentError, nil, function() return u.id:eq() end)
    raises(ag.exc.ArgumentError, nil, function() return u.id:in_(nil) end)
    raises(ag.exc.InvalidRequestError, "name", function() return u.nmae end)
  end)
end)
