--- ag.inspect: what each kind of thing gives.
local ag = require "argent"
local db = require "spec.support.db"

describe("ag.inspect", function()
  after_each(db.cleanup)

  it("gives an Inspector of engines and connections", function()
    local engine = db.engine()
    local insp = ag.inspect(engine)
    assert.are.equal(engine, insp.bind)
    assert.are.equal(insp, ag.inspect(insp))
    local conn <close> = engine:connect()
    assert.are.equal(conn, ag.inspect(conn).bind)
    assert.are.equal(engine, ag.inspect(conn).engine)
  end)

  it("gives tables, columns and statements themselves", function()
    local t = ag.Table("t", ag.MetaData(), {ag.Column("id", ag.Integer)})
    assert.are.equal(t, ag.inspect(t))
    assert.are.equal(t.c.id, ag.inspect(t.c.id))
    for _, sql in ipairs{ag.select(t), t:alias(), ag.select(t):subquery(), ag.select(t):cte(), ag.insert(t), ag.update(t), ag.delete(t),
      ag.text "1", ag.func.now()} do
      assert.is_true(rawequal(sql, ag.inspect(sql)))
    end
  end)

  it("gives the mapper of a class and the state of an object", function()
    local Base = ag.declarative_base()
    local User = Base:model("User", {__tablename = "users", id = ag.mapped_column(ag.Integer, {primary_key = true})})
    assert.are.equal(User, ag.inspect(User).class)
    assert.is_true(ag.inspect(User{id = 1}).transient)
  end)

  it("raises for what it does not know", function()
    for _, thing in ipairs{5, "x", {}, print, true, ag.null} do
      local ok, e = pcall(ag.inspect, thing)
      assert.is_false(ok)
      assert.is_true(e:is(ag.exc.NoInspectionAvailable), tostring(e))
    end
    local ok, e = pcall(ag.inspect)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.NoInspectionAvailable))
  end)
end)
