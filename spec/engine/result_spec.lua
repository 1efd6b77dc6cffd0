local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("a result", function()
  local engine, conn
  setup(function()
    engine = db.engine()
    conn = engine:connect()
    conn:exec_driver_sql("CREATE TABLE n (id INTEGER PRIMARY KEY, word TEXT)")
    conn:exec_driver_sql(db.sql "INSERT INTO n VALUES (?, ?)", {{1, "one"}, {2, ag.null}, {3, "three"}, {4, "one"}})
    conn:commit()
  end)
  teardown(function()
    conn:close()
    db.cleanup()
  end)

  local function select(where)
    return conn:exec_driver_sql("SELECT id, word FROM n " .. (where or "") .. " ORDER BY id")
  end
  local none, one = "WHERE id > 90", "WHERE id = 3"

  it("gives all rows at once, and then none", function()
    local result = select()
    local rows = result:all()
    assert.equal(4, #rows)
    assert.equal("three", rows[3].word)
    assert.same({}, result:all())
  end)

  it("gives the first row and closes", function()
    local result = select()
    assert.equal(1, result:first().id)
    assert.is_true(result.closed)
    expect.raises("ResourceClosedError", "closed", result.first, result)
    assert.is_nil(select(none):first())
  end)

  it("one() wants exactly one row", function()
    assert.equal("three", select(one):one().word)
    expect.raises("NoResultFound", "no row", function() return select(none):one() end)
    expect.raises("MultipleResultsFound", "exactly one", function() return select():one() end)
  end)

  it("one_or_none() wants one row or none", function()
    assert.equal(3, select(one):one_or_none().id)
    assert.is_nil(select(none):one_or_none())
    expect.raises("MultipleResultsFound", "one or none", function() return select():one_or_none() end)
  end)

  it("scalar forms take the first column", function()
    assert.equal(1, select():scalar())
    assert.is_nil(select(none):scalar())
    assert.equal(3, select(one):scalar_one())
    assert.equal(3, select(one):scalar_one_or_none())
    assert.is_nil(select(none):scalar_one_or_none())
    expect.raises("NoResultFound", nil, function() return select(none):scalar_one() end)
    expect.raises("MultipleResultsFound", nil, function() return select():scalar_one_or_none() end)
    assert.is_nil(conn:exec_driver_sql("SELECT word FROM n WHERE id = 2"):scalar_one())
  end)

  it("fetches one by one and by the number", function()
    local result = select()
    assert.equal(1, result:fetchone().id)
    assert.equal(2, #result:fetchmany(2))
    assert.equal(4, result:fetchone().id)
    assert.is_nil(result:fetchone())
    assert.same({}, result:fetchmany(5))
    expect.raises("ArgumentError", "argument #1 to Result:fetchmany", result.fetchmany, result, 0)
  end)

  it("is iterated by rows(), by itself, and stops at the end", function()
    local ids = {}
    for row in select():rows() do ids[#ids + 1] = row.id end
    assert.same({1, 2, 3, 4}, ids)
    ids = {}
    for row in select() do ids[#ids + 1] = row[1] end
    assert.same({1, 2, 3, 4}, ids)
  end)

  it("is closed when a loop over rows() is left", function()
    local result = select()
    for _ in result:rows() do break end -- luacheck: ignore
    assert.is_true(result.closed)
  end)

  it("gives tuples with their number first", function()
    local seen = {}
    for i, id, word in select():tuples() do seen[#seen + 1] = {i, id, word} end
    assert.same({{1, 1, "one"}, {2, 2}, {3, 3, "three"}, {4, 4, "one"}}, seen)
    assert.same({2, ag.null}, select():tuples():all()[2])
  end)

  it("gives plain tables as mappings", function()
    assert.same({{id = 1, word = "one"}, {id = 2}, {id = 3, word = "three"}, {id = 4, word = "one"}}, select():mappings():all())
    for m in select():mappings():rows() do assert.is_nil(getmetatable(m)) end
    assert.equal("one", select():mappings():first().word)
  end)

  it("gives scalars of a column, NULL as ag.null in lists", function()
    assert.same({1, 2, 3, 4}, select():scalars():all())
    assert.same({"one", ag.null, "three", "one"}, select():scalars("word"):all())
    assert.same({"one", ag.null, "three", "one"}, select():scalars(2):all())
    local n = 0
    for _ in select():scalars("word"):rows() do n = n + 1 end
    assert.equal(4, n)
    expect.raises("NoSuchColumnError", "did you mean 'word'", function() return select():scalars("wort") end)
    expect.raises("NoSuchColumnError", "number 3", function() return select():scalars(3) end)
    expect.raises("NoSuchColumnError", nil, function() return select():scalars({}) end)
  end)

  it("gives chosen columns in the order asked for", function()
    local rows = select():columns("word", "id"):all()
    assert.equal("one", rows[1][1])
    assert.equal(1, rows[1].id)
    assert.same({"word", "id"}, select():columns{"word", "id"}:keys())
    assert.same({{word = "three"}}, select(one):columns("word"):mappings():all())
    assert.same({"three"}, select(one):columns("word", "id"):scalars():all())
    assert.equal(3, select(one):columns("word", "id"):columns("id"):one()[1])
    expect.raises("ArgumentError", "columns", function() return select():columns() end)
  end)

  it("takes the chosen columns for a row when unique", function()
    local text = ag.text "select 1 as a, 'x' as b union all select 2, 'x' union all select 3, null union all select 4, null union all select 5, 'y'"
    for _, view in ipairs{"columns", "mappings", "tuples"} do
      local result = conn:execute(text):columns("b"):unique()
      assert.equal(3, #(view == "columns" and result or result[view](result)):all())
    end
    assert.equal(5, #conn:execute(text):columns("b", "a"):unique():all())
  end)

  it("calls raw SQL among the columns as the database does", function()
    local row = conn:execute(ag.select(ag.text "8 as n", ag.literal_column "7", ag.text "9 as k")):first()
    assert.same({8, 7, 9}, {row.n, row["7"] or row[2], row.k})
  end)

  it("leaves out repeated rows when unique", function()
    local text = "SELECT word FROM n ORDER BY id"
    assert.same({"one", ag.null, "three"}, conn:exec_driver_sql(text):unique():scalars():all())
    assert.equal(3, #conn:exec_driver_sql(text):unique():all())
    assert.equal(2, #conn:exec_driver_sql(text):unique(function(row) return #(row.word or "") == 3 end):all())
  end)

  it("has rows that can be sorted, as tuples", function()
    local function rows(text) return conn:exec_driver_sql(text):all() end
    local list = rows "SELECT 2 AS a, 'x' AS b UNION ALL SELECT 1, 'z' UNION ALL SELECT 1, 'a'"
    table.sort(list)
    assert.same({"1a", "1z", "2x"}, {list[1].a .. list[1].b, list[2].a .. list[2].b, list[3].a .. list[3].b})
    local short, long = rows("SELECT 1 AS a, 2 AS b")[1], rows("SELECT 1 AS a, 2 AS b, 3 AS c")[1]
    assert.same({true, false, true, true, false}, {short < long, long < short, short <= long, short <= short, short > long})
    expect.raises("ArgumentError", {"a Row", "a number"}, function() return short < 5 end)
    expect.raises("ArgumentError", {"column 1", "nil"}, function() return rows("SELECT NULL AS a, 1 AS b")[1] < short end)
  end)

  it("comes in partitions", function()
    local sizes = {}
    for part in select():partitions(3) do sizes[#sizes + 1] = #part end
    assert.same({3, 1}, sizes)
    sizes = {}
    for part in select():yield_per(2):partitions() do sizes[#sizes + 1] = #part end
    assert.same({2, 2}, sizes)
    sizes = {}
    for part in select():scalars():partitions(2) do sizes[#sizes + 1] = part end
    assert.same({{1, 2}, {3, 4}}, sizes)
  end)

  it("takes as many rows at a time as yield_per says", function()
    assert.equal(1, #select():fetchmany())
    local result = select():yield_per(3)
    assert.equal(3, #result:fetchmany())
    assert.equal(1, #result:fetchmany())
    assert.same({}, result:fetchmany())
    local sizes = {}
    for part in select():yield_per(3):partitions() do sizes[#sizes + 1] = #part end
    assert.same({3, 1}, sizes)
    assert.equal(4, #select():yield_per(3):all())
    sizes = {}
    for part in conn:exec_driver_sql("SELECT id FROM n", nil, {execution_options = {yield_per = 3}}):scalars():partitions() do
      sizes[#sizes + 1] = #part
    end
    assert.same({3, 1}, sizes)
  end)

  it("knows its keys", function()
    assert.same({"id", "word"}, select():keys())
    assert.is_true(select().returns_rows)
  end)

  it("can be frozen and read as often as wanted", function()
    local again = select():freeze()
    assert.equal(4, #again():all())
    assert.equal(4, #again():all())
    assert.same({1, 2, 3, 4}, again():scalars():all())
  end)

  it("can be merged with others", function()
    local all = select(one):merge(select("WHERE id < 3"))
    assert.same({3, 1, 2}, all:scalars():all())
    expect.raises("ArgumentError", "a Result", function() return select():merge(5) end)
  end)

  it("stays readable after its connection went back", function()
    local result
    do
      local c <close> = engine:connect()
      result = c:exec_driver_sql("SELECT id FROM n ORDER BY id")
    end
    assert.same({1, 2, 3, 4}, result:scalars():all())
  end)

  it("lets other statements run while it is read", function()
    local n = 0
    for row in select():rows() do
      n = n + conn:exec_driver_sql(db.sql "SELECT CAST(? AS INTEGER)", {row.id}):scalar()
    end
    assert.equal(10, n)
  end)

  it("of a statement without rows says so", function()
    local result = conn:exec_driver_sql("UPDATE n SET word = word")
    assert.is_false(result.returns_rows)
    assert.equal(4, result.rowcount)
    expect.raises("ResourceClosedError", "rows", result.all, result)
    expect.raises("ResourceClosedError", "rows", result.scalars, result)
    expect.raises("ResourceClosedError", "rows", result.keys, result)
    conn:rollback()
  end)

  it("refuses what it does not know", function()
    local result = select()
    expect.raises("ArgumentError", "did you mean 'mappings'", function() return result.mapings end)
    expect.raises("ArgumentError", "argument #1", result.unique, result, 5)
    expect.raises("ArgumentError", "argument #1", result.yield_per, result, "5")
    expect.raises("InvalidRequestError", "not an INSERT", function() return result.inserted_primary_key end)
  end)
end)

describe("a streamed result", function()
  local engine, conn
  local series = db.postgresql and "SELECT i FROM generate_series(1, 1000) AS i" or
    "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000) SELECT i FROM s"
  before_each(function()
    engine = db.engine()
    conn = engine:connect()
  end)
  after_each(function()
    conn:close()
    db.cleanup()
  end)

  it("brings its rows in windows", function()
    local result = conn:exec_driver_sql(series, nil, {execution_options = {yield_per = 100}})
    local sum = 0
    for row in result:rows() do sum = sum + row.i end
    assert.equal(500500, sum)
  end)

  it("can be read whole", function()
    conn:execution_options{stream_results = true}
    assert.equal(1000, #conn:exec_driver_sql(series):all())
    assert.equal(1000, #conn:exec_driver_sql(series):scalars():all())
  end)

  it("may bound its windows by max_row_buffer", function()
    for _, most in ipairs{1, 7, 5000} do
      local options = {execution_options = {stream_results = true, max_row_buffer = most}}
      local result, sum = conn:exec_driver_sql(series, nil, options), 0
      for row in result:rows() do sum = sum + row.i end
      assert.equal(500500, sum)
    end
    expect.raises("ArgumentError", "max_row_buffer", conn.execution_options, conn, {max_row_buffer = 0})
  end)

  it("comes in partitions", function()
    local n, rows = 0, 0
    for part in conn:exec_driver_sql(series, nil, {execution_options = {yield_per = 300}}):partitions(400) do
      n, rows = n + 1, rows + #part
    end
    assert.equal(3, n)
    assert.equal(1000, rows)
  end)

  it("is closed when its loop is left, and the connection goes on", function()
    local result = conn:exec_driver_sql(series, nil, {execution_options = {yield_per = 10}})
    for row in result:rows() do if row.i == 15 then break end end
    assert.is_true(result.closed)
    assert.equal(1, conn:exec_driver_sql("SELECT 1"):scalar())
    conn:rollback()
  end)

  it("ends with its transaction, and says so", function()
    local result = conn:exec_driver_sql(series, nil, {execution_options = {yield_per = 10}})
    result:fetchone()
    conn:rollback()
    expect.raises("ResourceClosedError", "rollback", function()
      for _ = 1, 20 do result:fetchone() end
    end)
  end)
end)
