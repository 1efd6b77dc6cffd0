-- row[expression]: columns without a name of their own; and values that need a type of PostgreSQL's on their way.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("rows asked for expressions", function()
  local engine, conn, t
  before_each(function()
    engine = db.engine()
    t = ag.Table("asked", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
    t.metadata:create_all(engine)
    conn = engine:connect()
    conn:execute(ag.insert(t):values{id = 1, name = "x"})
  end)
  after_each(function()
    conn:rollback()
    conn:close()
    db.cleanup()
  end)

  it("find functions, operations and literals", function()
    local count, next_id, literal = ag.func.count(t.c.id), t.c.id + 1, ag.literal(5)
    local row = conn:execute(ag.select(count, next_id, literal, t.c.name):group_by(t.c.id, t.c.name)):one()
    assert.same({1, 2, 5, "x"}, {row[count], row[next_id], row[literal], row[t.c.name]})
    assert.equal(2, row[t.c.id + 1])
    expect.raises("NoSuchColumnError", "no such expression", function() return row[ag.func.now()] end)
  end)

  it("find labels, and expressions of RETURNING", function()
    local upper = ag.func.upper(t.c.name):label("u")
    assert.equal("X", conn:execute(ag.select(upper)):one()[upper])
    local double = t.c.id * 2
    assert.equal(14, conn:execute(ag.insert(t):values{id = 7}:returning(t.c.id, double)):one()[double])
  end)

  it("serve scalars and columns", function()
    local next_id = t.c.id + 1
    assert.same({2}, conn:execute(ag.select(t.c.name, next_id)):scalars(next_id):all())
    assert.equal(2, conn:execute(ag.select(t.c.name, next_id)):columns(next_id, t.c.name):one()[1])
  end)

  it("do not guess between several", function()
    local one, two = t.c.id + 1, t.c.id + 2
    local row = conn:execute(ag.select(one, two)):one()
    expect.raises("InvalidRequestError", "several such expressions", function() return row[one] end)
    assert.same({2, 3}, {row[1], row[2]})
  end)
end)

if db.postgresql then
  describe("text search and JSON paths", function()
    after_each(db.cleanup)
    it("send configurations and paths as what they are", function()
      local f, pg = ag.func, ag.postgresql
      local conn <close> = db.engine():connect()
      assert.is_true(conn:scalar(ag.select(ag.cast(f.to_tsvector("english", "the dogs"):op("@@")(f.to_tsquery("english", "dog")), ag.Boolean))))
      for _, name in ipairs{"to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery"} do
        assert.equal("'dog'", conn:scalar(ag.select(ag.cast(f[name]("english", "dogs"), ag.Text))))
        assert.is_not_nil(conn:scalar(ag.select(ag.cast(f[name]("dogs"), ag.Text))))
      end
      assert.equal("the <b>dogs</b>", conn:scalar(ag.select(f.ts_headline("english", "the dogs", f.to_tsquery("english", "dog")))))
      local doc = ag.literal({a = 1}, pg.JSONB)
      local row = conn:execute(ag.select(doc:path_exists("$.a"), doc:path_exists("$.b"), doc:path_match("$.a == 1"))):one()
      assert.same({true, false, true}, {row[1], row[2], row[3]})
    end)
  end)
end
