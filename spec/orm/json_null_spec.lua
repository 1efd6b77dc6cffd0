--- NULL and JSON's null in mapped columns: what is read is what is written again, and a NULL that was assigned wins over a default.
local ag = require "argent"
local db = require "spec.support.db"

describe("JSON columns of objects", function()
  local engine, Doc

  before_each(function()
    local Base = ag.declarative_base()
    Doc = Base:model("Doc", {
      __tablename = "docs",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      a = ag.mapped_column(ag.JSON),
      b = ag.mapped_column(ag.JSON{none_as_null = true}),
      c = ag.mapped_column(ag.JSON, {default = {x = 1}}),
      note = ag.mapped_column(ag.Text:evaluates_none(), {default = "none"}),
    })
    engine = db.engine()
    Base.metadata:create_all(engine)
  end)

  after_each(function()
    Doc.__table.metadata:drop_all(engine)
    db.cleanup()
  end)

  it("take their defaults where nothing was assigned", function()
    local session <close> = ag.Session(engine)
    session:add(Doc{id = 1})
    session:commit()
    local doc = session:get(Doc, 1)
    assert.same({x = 1}, doc.c)
    assert.equal("none", doc.note)
    assert.is_nil(doc.a)
    assert.equal(1, session:scalar(ag.select(ag.func.count()):where(Doc.a:is_(nil), Doc.b:is_(nil))))
  end)

  it("write ag.null as JSON's null, unless none_as_null, and nil as NULL", function()
    local session <close> = ag.Session(engine)
    session:add(Doc{id = 1, a = ag.null, b = ag.null, c = ag.null, note = ag.null})
    session:add(Doc{id = 2, a = ag.JSON.NULL, b = ag.JSON.NULL, c = ag.JSON.NULL})
    session:add(Doc{id = 3, a = ag.null_(), b = ag.null_(), c = ag.null_()})
    local doc = Doc{id = 4}
    doc.a, doc.b, doc.c, doc.note = nil, nil, nil, nil
    session:add(doc)
    session:commit()
    local a, b, c = ag.column("a"), ag.column("b"), ag.column("c")
    local kinds = db.postgresql and ag.func.json_typeof or ag.func.json_type
    local rows = session:execute(ag.select(kinds(a), kinds(b), kinds(c), Doc.note):select_from(Doc.__table):order_by(Doc.id)):all()
    local got = {}
    for i, row in ipairs(rows) do got[i] = {row[1] or "-", row[2] or "-", row[3] or "-", row[4] or "-"} end
    assert.same({{"null", "-", "null", "-"}, {"null", "null", "null", "none"}, {"-", "-", "-", "none"}, {"-", "-", "-", "-"}}, got)
  end)

  it("come back as they were written, and unchanged objects write nothing", function()
    local session <close> = ag.Session(engine)
    session:add(Doc{id = 1, a = ag.null, b = {ag.null}})
    session:commit()
    local doc = session:get(Doc, 1)
    assert.equal(ag.null, doc.a)
    doc.a = doc.a
    assert.equal(0, #session.dirty)
    doc.a = nil
    session:commit()
    assert.is_nil(doc.a)
    doc.a = ag.null
    session:commit()
    assert.equal(ag.null, doc.a)
    assert.equal(ag.null, doc.b[1])
  end)

  it("take ag.null in statements as JSON's null", function()
    engine:begin(function(conn)
      local t = Doc.__table
      conn:execute(ag.insert(t), {{id = 1, a = ag.null, b = ag.null}, {id = 2, a = {1}, b = {2}}})
      conn:execute(ag.update(t):where(t.c.id:eq(2)):values{a = ag.null, b = ag.null})
      for row in conn:execute(ag.select(t.c.a, t.c.b):order_by(t.c.id)):rows() do
        assert.equal(ag.null, row.a)
        assert.is_nil(row.b)
      end
      assert.equal(2, conn:scalar(ag.select(ag.func.count()):where(t.c.b:is_(nil), t.c.a:is_not(nil))))
    end)
  end)

  it("have literals of both nulls", function()
    local lit = function(v, kind) return ag.select(ag.literal(v, {type = kind})):compile{literal_binds = true}.string end
    assert.matches("'null'", lit(ag.null, ag.JSON))
    assert.matches("NULL", lit(ag.null, ag.JSON{none_as_null = true}))
    assert.matches("'null'", lit(ag.JSON.NULL, ag.JSON{none_as_null = true}))
  end)
end)
