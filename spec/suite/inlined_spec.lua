--- Values that stand in the text of a statement: a cached text must not carry those of an earlier execution.
local ag = require "argent"
local db = require "spec.support.db"

describe("values in the text", function()
  local conn, t
  setup(function()
    local engine = db.engine()
    local metadata = ag.MetaData()
    t = ag.Table("inlined", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("word", ag.String(20))})
    metadata:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(t), {{id = 1, word = "a"}, {id = 2, word = "b"}})
    conn:commit()
  end)
  teardown(function()
    conn:close()
    db.cleanup()
  end)

  it("are this execution's: the delimiter of aggregate_strings", function()
    local words = ag.select(t.c.word):order_by(t.c.word):subquery()
    for _, delimiter in ipairs{"-", "+", "', '", "-"} do
      local joined = "a" .. delimiter .. "b"
      assert.equal(joined, conn:scalar(ag.select(ag.func.aggregate_strings(words.c.word, delimiter))))
      assert.equal(joined, conn:scalar(ag.select(ag.func.aggregate_strings(words.c.word, ag.bindparam("d", {type = ag.String}))), {d = delimiter}))
      assert.equal("b", conn:scalar(ag.select(ag.func.aggregate_strings(words.c.word, delimiter):filter(words.c.word:gt("a")))))
    end
  end)

  it("are this execution's: VALUES with literal_binds", function()
    for i = 1, 3 do
      local rows = ag.values(ag.column("n", ag.Integer), {name = "v", literal_binds = true}):data{{i}, {i * 10}}
      assert.same({i, i * 10}, conn:scalars(ag.select(rows.c.n):order_by(rows.c.n)):all())
    end
  end)

  it("are this execution's: the condition of an ON CONFLICT target", function()
    local insert = db.postgresql and ag.postgresql.insert or ag.sqlite.insert
    for i = 1, 3 do
      conn:exec_driver_sql("CREATE UNIQUE INDEX of_some ON inlined (word) WHERE id > " .. i)
      local ins = insert(t):values{id = 10 * i, word = "new"}:on_conflict_do_nothing{index_elements = {t.c.word}, index_where = t.c.id:gt(i)}
      conn:execute(ins)
      conn:execute(insert(t):values{id = 10 * i + 1, word = "new"}:on_conflict_do_nothing{index_elements = {t.c.word}, index_where = t.c.id:gt(i)})
      assert.equal(1, conn:scalar(ag.select(ag.func.count()):where(t.c.word:eq("new"))))
      conn:rollback()
    end
  end)
end)
