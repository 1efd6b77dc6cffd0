--- Indexes made concurrently: only outside a transaction, which create_all(engine) is in. As in SQLAlchemy the server says so.
local ag = require "argent"
local db = require "spec.support.db"

describe("an index made concurrently", function()
  local engine, metadata

  before_each(function()
    metadata = ag.MetaData()
    ag.Table("beads", metadata, {ag.Column("a", ag.Integer), ag.Index("ix_beads_a", "a", {postgresql_concurrently = true})})
    engine = db.engine()
  end)

  after_each(db.cleanup)

  it("is refused by the server inside the transaction of create_all, and nothing is left", function()
    if not db.postgresql then
      metadata:create_all(engine) -- the option is PostgreSQL's
      assert.is_true(ag.inspect(engine):has_table("beads"))
      return
    end
    local ok, e = pcall(metadata.create_all, metadata, engine)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.DBAPIError))
    assert.matches("CONCURRENTLY cannot run inside a transaction block", e.message)
    assert.is_false(ag.inspect(engine):has_table("beads"))
  end)

  it("is made on a connection in AUTOCOMMIT", function()
    local conn <close> = engine:connect()
    conn:execution_options{isolation_level = "AUTOCOMMIT"}
    metadata:create_all(conn)
    assert.equal("ix_beads_a", ag.inspect(conn):get_indexes("beads")[1].name)
    metadata:drop_all(conn)
    assert.is_false(ag.inspect(conn):has_table("beads"))
  end)
end)
