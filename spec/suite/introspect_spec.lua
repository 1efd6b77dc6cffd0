-- Looking into statements, and rewriting them.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("statements tell", function()
  local m = ag.MetaData()
  local t = ag.Table("t", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("p", ag.Boolean), ag.Column("q", ag.Text)})
  local t2 = ag.Table("t2", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("t_id", ag.ForeignKey("t.id"))})

  local function names(collection)
    local out = {}
    for key in pairs(collection) do out[#out + 1] = key end
    return out
  end
  local function text(e) return (tostring(e):gsub("%s+", " ")) end

  it("their kind", function()
    local kinds = {"is_select", "is_insert", "is_update", "is_delete", "is_dml", "is_text"}
    local function of(stmt)
      local out = {}
      for _, kind in ipairs(kinds) do if stmt[kind] then out[#out + 1] = kind:sub(4) end end
      return table.concat(out, " ")
    end
    assert.same({"select", "select", "insert dml", "update dml", "delete dml", "text", "select text"}, {of(ag.select(t)),
      of(ag.union(ag.select(t.c.id), ag.select(t2.c.id))), of(ag.insert(t)), of(ag.update(t)), of(ag.delete(t)),
      of(ag.text "SELECT 1"), of(ag.text("SELECT 1 AS a"):columns(ag.column "a"))})
  end)

  it("their columns", function()
    local s = ag.select(t.c.id, t.c.p:label("x"), t2, ag.func.count(), t.c.id + 1)
    assert.same({"id", "x", "id_1", "t_id", "count", "_no_label"}, names(s.selected_columns))
    assert.same(names(s.selected_columns), names(s.exported_columns))
    assert.equal(t.c.id, s.selected_columns.id)
    assert.equal(t2.c.t_id, s.selected_columns.t_id)
    assert.equal(6, #s.selected_columns)
    assert.equal("x", s.selected_columns[2].name)
    assert.is_nil(s.selected_columns[7])
    expect.raises("InvalidRequestError", {"no column 'xx'", "did you mean 'x'?"}, function() return s.selected_columns.xx end)
    local a = t:alias("a")
    local sub = ag.select(a):subquery("s")
    assert.equal("a.q", text(ag.select(a).selected_columns.q))
    assert.equal("s.p", text(ag.select(sub).selected_columns.p))
    assert.same({"id", "y"}, names(ag.union(ag.select(t.c.id, t.c.p:label("y")), ag.select(t2.c.id, t2.c.t_id)).selected_columns))
    assert.same({"id"}, names(ag.insert(t):returning(t.c.id).exported_columns))
    assert.same({}, names(ag.insert(t).exported_columns))
    for _, from in ipairs{t, a, sub, t:join(t2), ag.select(t.c.id):cte("q")} do
      assert.same(names(from.c), names(from.exported_columns))
    end
    local d = s.column_descriptions
    assert.equal("id", d[1].name)
    assert.equal(t.c.id, d[1].expr)
    assert.equal("Integer", tostring(d[5].type))
    expect.raises("InvalidRequestError", "columns", function() return ag.text("select 1").selected_columns end)
  end)

  it("their FROMs and criteria", function()
    local s = ag.select(t.c.id, t2.c.id):join_from(t, t2):where(t.c.id:gt(1)):where(t.c.p)
    local froms = s.columns_clause_froms
    assert.equal(2, #froms)
    assert.equal(t, froms[1])
    assert.equal(t2, froms[2])
    froms = s:get_final_froms()
    assert.equal(1, #froms)
    assert.equal("t JOIN t2 ON t.id = t2.t_id", text(froms[1]))
    assert.equal(0, #ag.select(ag.literal(1)):get_final_froms())
    assert.equal("t.id > :id_1 AND t.p", text(s.whereclause))
    assert.is_nil(ag.select(t).whereclause)
    assert.equal("t.id = :id_1", text(ag.update(t):where(t.c.id:eq(4)).whereclause))
    assert.equal(t, ag.update(t).table)
    assert.equal(t, ag.insert(t).table)
    local u = ag.select(t.c.id):union(ag.select(t2.c.id))
    assert.equal(2, #u.selects)
    assert.equal("SELECT t2.id FROM t2", text(u.selects[2]))
    expect.raises("ArgumentError", "a set operation", function() return s.selects end)
    expect.raises("ArgumentError", "a SELECT", function() return u:get_final_froms() end)
    -- what was asked of a statement lives on without it
    local kept = ag.select(t:alias("z").c.q):where(t.c.id:eq(9)).selected_columns
    collectgarbage()
    collectgarbage()
    assert.equal("z.q", text(kept.q))
  end)

  it("give parameters other values", function()
    local s = ag.select(t.c.id):where(t.c.id:eq(ag.bindparam("a", {value = 1, type = ag.Integer})), t.c.q:eq(ag.bindparam("b")),
      t.c.id:in_(ag.bindparam("l", {expanding = true})), t.c.id:ne(7))
    local compiled = s:params{a = 5, b = "x", l = {1, 2}, unknown = 3}:compile{dialect = "sqlite", render_postcompile = true}
    assert.same({5, "x", 1, 2, 7}, compiled.positional)
    assert.equal(1, s:compile().params.a)
    local both = ag.select(t.c.id:label("n")):where(t.c.id:eq(ag.bindparam("k", {type = ag.Integer})))
    local pair = both:unique_params{k = 1}:union_all(both:unique_params{k = 2})
    assert.same({k_1 = 1, k_2 = 2}, pair:compile().params)
    local engine = db.engine()
    m:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t), {{id = 1}, {id = 2}})
      assert.same({1, 2}, conn:scalars(pair:order_by("n")):all())
      assert.same({2}, conn:scalars(both:params{k = 2}):all())
      assert.same({1}, conn:scalars(both:params{k = 2}, {k = 1}):all())
    end)
    db.cleanup()
    expect.raises("ArgumentError", "names as keys", s.params, s, {5})
    expect.raises("ArgumentError", "parameter 'a'", s.params, s, {a = print})
  end)

  it("their parts", function()
    local cond = t.c.id:eq(5) & t.c.p
    local seen = {}
    for e in ag.visitors.iterate(cond) do seen[#seen + 1] = e.__visit_name end
    assert.same({"clauselist", "binary", "unary", "column", "bindparam", "column"}, seen)
    local children = (t.c.id + ag.func.max(3)):get_children()
    assert.equal(t.c.id, children[1])
    assert.equal("function", children[2].__visit_name)
    local binds = {}
    local s = ag.select(t.c.id):where(cond, t.c.q:in_{"a", "b"})
    assert.equal(s, ag.visitors.traverse(s, {}, {bindparam = function(b) binds[#binds + 1] = b.key end}))
    table.sort(binds)
    assert.same({"id", "q"}, binds)
    assert.equal("select", s.__visit_name)
    assert.equal("table", t.__visit_name)
  end)

  it("are rewritten by replacing parts", function()
    local cond = t.c.id:eq(5) & t.c.p & ag.exists(ag.select(t2.c.id):where(t2.c.t_id:eq(t.c.id)))
    local out = ag.visitors.replacement_traverse(cond, {}, function(e)
      if e == t.c.id then return t2.c.t_id + 1 end
    end)
    assert.equal("t2.t_id + :t_id_1 = :id_1 AND t.p AND (EXISTS (SELECT t2.id FROM t2 WHERE t2.t_id = t2.t_id + :t_id_1))", text(out))
    assert.equal("t.id = :id_1 AND t.p AND (EXISTS (SELECT t2.id FROM t2, t WHERE t2.t_id = t.id))", text(cond))
    assert.equal(cond, ag.visitors.replacement_traverse(cond, {}, function() end))
    assert.equal(t2.c.id, ag.visitors.replacement_traverse(t.c.id, {}, function() return t2.c.id end))
    expect.raises("ArgumentError", "instead of an SQL construct", ag.visitors.replacement_traverse, cond, {}, function() return 5 end)
    local ok, e = pcall(ag.visitors.replacement_traverse, cond, {}, function() error({mine = true}) end)
    assert.is_false(ok)
    assert.same({mine = true}, e)
  end)

  it("are adapted to aliases and subqueries", function()
    local a = t:alias("a")
    local adapter = ag.ClauseAdapter(a)
    assert.equal("a.id = t2.id AND a.p", text(adapter:traverse(t.c.id:eq(t2.c.id) & t.c.p)))
    local s = ag.select(t.c.id, t.c.p:label("x")):join_from(t, t2, t.c.id:eq(t2.c.id)):where(t.c.id:gt(3))
    assert.equal("SELECT a.id, a.p AS x FROM t AS a JOIN t2 ON a.id = t2.id WHERE a.id > :id_1", text(adapter:traverse(s)))
    local sub = ag.select(t):where(t.c.id:eq(5)):subquery("sq")
    assert.equal("sq.id + :id_1", text(ag.ClauseAdapter(sub):traverse(t.c.id + 1)))
    local named = ag.select(t2.c.id:label("q")):subquery("n")
    assert.equal("t.q", text(ag.ClauseAdapter(named):traverse(t.c.q)))
    assert.equal("n.q", text(ag.ClauseAdapter(named, {adapt_on_names = true}):traverse(t.c.q)))
    expect.raises("ArgumentError", "expected an SQL construct", ag.ClauseAdapter, "a")
  end)
end)
