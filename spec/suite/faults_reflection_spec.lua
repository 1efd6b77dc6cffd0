--- Reflection when memory runs out at every point: an error object, nothing left behind, and the same again afterwards.
local ag = require "argent"
local db = require "spec.support.db"
local sweep = require "spec.support.sweep"

local full = os.getenv "ARGENT_SWEEP" == "full"

describe("reflection without memory", function()
  local engine

  before_each(function()
    engine = db.engine{pool_size = 2}
    local m = ag.MetaData()
    ag.Table("users", m, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.String(30), {server_default = "x"}),
      ag.UniqueConstraint("name", {name = "uq"}), ag.CheckConstraint("id > 0", {name = "ck"})})
    local posts = ag.Table("posts", m, {ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id", {ondelete = "CASCADE"}))})
    ag.Index("ix", ag.func.abs(posts.c.user_id), posts.c.id:desc())
    m:create_all(engine)
  end)

  after_each(function()
    engine = nil
    db.cleanup()
  end)

  for allocator, points in pairs{core = 60, lua = 25} do
    it("leaves nothing behind: " .. allocator, function()
      local n = sweep.run("reflection", function()
        local m = ag.MetaData()
        m:reflect(engine)
        assert(#m.tables == 2 and #m.tables.posts.indexes == 1)
        assert(m.tables.posts.c.user_id.foreign_keys[1].column == m.tables.users.c.id)
        local t = ag.Table("posts", ag.MetaData(), {autoload_with = engine, ag.Column("user_id", ag.BigInteger)})
        assert(#t.c == 2)
      end, {points = not full and points or nil, allocator = allocator})
      assert.is_true(n > 0)
    end)
  end
end)
