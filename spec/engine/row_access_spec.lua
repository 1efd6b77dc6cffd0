--- How columns of a row are found by key, by name and by column, and what results tell of statements that are plain text: the
-- situations of SQLAlchemy's own tests of result sets.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

local metadata = ag.MetaData()
local parcels = ag.Table("parcels", metadata, {
  ag.Column("a", ag.String(5), {key = "b"}), ag.Column("c", ag.String(5), {key = "q"}), ag.Column("id", ag.Integer, {primary_key = true}),
})
local routes = ag.Table("routes", metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("label", ag.String(20))})

describe("columns of a row", function()
  local engine, conn
  setup(function() engine = db.engine() end)
  teardown(function() db.cleanup() end)
  before_each(function()
    conn = engine:connect()
    metadata:create_all(conn)
    conn:execute(ag.insert(parcels), {id = 1, b = "x", q = "y"})
    conn:execute(ag.insert(routes), {id = 5, label = "north"})
  end)
  after_each(function()
    conn:rollback()
    conn:close()
  end)

  local function first(stmt)
    return conn:execute(stmt):first()
  end

  it("are found by the column's key as well as by its name", function()
    local row = first(ag.select(parcels))
    assert.same({"x", "y", "x", "y"}, {row.b, row.q, row.a, row.c})
    assert.same({"a", "c", "id"}, conn:execute(ag.select(parcels)):keys())
    assert.equal("x", first(ag.select(parcels:alias())).b)
    assert.equal("x", first(ag.select(ag.select(parcels):subquery())).b)
    row = first(ag.select(parcels):set_label_style(ag.LABEL_STYLE_TABLENAME_PLUS_COL))
    assert.same({"x", "x"}, {row.parcels_b, row.parcels_a})
    assert.equal("x", row[parcels.c.b])
  end)

  it("are found by a name before a key", function()
    local other = ag.Table("swapped", ag.MetaData(), {ag.Column("one", ag.Integer, {key = "two"}), ag.Column("two", ag.Integer, {key = "one"})})
    other:create(conn)
    conn:execute(ag.insert(other), {one = 1, two = 2})
    local row = first(ag.select(other))
    assert.same({2, 1}, {row.one, row.two})
    assert.same({2, 1}, {row[other.c.two], row[other.c.one]})
  end)

  it("are not those of another table that has the name", function()
    local row = first(ag.select(routes))
    assert.equal(5, row[routes.c.id])
    expect.raises("NoSuchColumnError", "another table", function() return row[parcels.c.id] end)
    row = first(ag.union(ag.select(routes.c.id), ag.select(parcels.c.id):where(parcels.c.id:gt(9))))
    assert.equal(5, row[routes.c.id])
    expect.raises("NoSuchColumnError", "another table", function() return row[parcels.c.id] end)
    assert.equal(5, first(ag.text "SELECT id FROM routes")[parcels.c.id])
  end)

  it("give nil at the end of fetchone()", function()
    local r = conn:execute(ag.select(routes))
    assert.equal(5, r:fetchone().id)
    assert.equal("nil", tostring(r:fetchone()))
  end)

  it("of a text that inserts tell no keys", function()
    for _, r in ipairs{conn:execute(ag.text "INSERT INTO routes (id) VALUES (6)"), conn:exec_driver_sql "INSERT INTO routes (id) VALUES (7)"} do
      assert.is_false(r.is_insert)
      assert.equal(1, r.rowcount)
      expect.raises("InvalidRequestError", "not an INSERT", function() return r.inserted_primary_key end)
    end
    assert.is_true(conn:execute(ag.insert(routes), {id = 8}).is_insert)
  end)

  it("statements cannot set what belongs to their connection", function()
    for name, value in pairs{isolation_level = "AUTOCOMMIT", compiled_cache = ag.null} do
      expect.raises("ArgumentError", name, function() return ag.select(routes):execution_options{[name] = value} end)
    end
  end)
end)
