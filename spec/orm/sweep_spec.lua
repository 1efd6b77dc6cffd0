local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local sweep = require "spec.support.sweep"

--- About how many points of failure each scenario gets; ARGENT_SWEEP=full takes every one.
local full = os.getenv "ARGENT_SWEEP" == "full"

describe("the ORM when memory runs out in the core", function()
  local m, engine
  setup(function()
    m = models.new()
    engine = models.engine(m.Base)
    models.fill(m, engine)
  end)
  teardown(function()
    engine = nil
    db.cleanup()
  end)

  local function scenario(name, f)
    for allocator, points in pairs{core = 60, lua = 30} do
      it(name .. ": " .. allocator, function()
        sweep.run(name, function()
          local session <close> = ag.Session(engine)
          f(session)
          session:rollback()
        end, {points = not full and points or nil, allocator = allocator})
      end)
    end
  end

  scenario("insert, with collections and links", function(session)
    local ann = m.User{name = "new", age = 1}
    ann.posts = {m.Post{title = "a"}, m.Post{title = "b", tags = {m.Tag{name = "fresh"}}}}
    session:add(ann)
    session:flush()
    assert(ann.id and ann.posts[2].author_id == ann.id)
    assert(#session.new == 0)
  end)

  scenario("update and delete", function(session)
    local ann = session:get(m.User, 1)
    ann.age = (ann.age or 0) + 1
    ann.name = ("long"):rep(12)
    session:flush()
    session:delete(ann)
    session:flush()
    assert(session:get(m.User, 1) == nil)
  end)

  scenario("a flush that fails", function(session)
    session:add_all{m.User{name = "x"}, m.Tag{name = "red"}}
    local ok, e = pcall(session.flush, session)
    assert(not ok)
    if sweep.is_memory(e) or not e:is(ag.exc.IntegrityError) then error(e, 0) end
    assert(#session.new == 2)
  end)

  scenario("lazy loading and refresh", function(session)
    local ann = session:get(m.User, 1)
    assert(#ann.posts == 2 and ann.posts[2].tags[1].name == "red")
    session:expire_all()
    assert(ann.name == "ann")
  end)

  scenario("eager loading", function(session)
    local users = session:scalars(ag.select(m.User):options(ag.selectinload(m.User.posts):selectinload(m.Post.tags))):all()
    assert(#users == 2 and #users[1].posts[2].tags == 2)
    session:expunge_all()
    users = session:scalars(ag.select(m.User):limit(5):options(ag.joinedload(m.User.posts))):unique():all()
    assert(#users == 2)
  end)

  scenario("savepoints and merge", function(session)
    session:begin_nested(function(s)
      s:add(m.Tag{name = "inner"})
    end)
    local copy = session:merge(m.User{id = 1, name = "merged"})
    assert(copy.name == "merged")
    session:flush()
  end)

  for allocator, points in pairs{core = 60, lua = 30} do
    it("while classes are made and configured: " .. allocator, function()
      sweep.run("classes", function()
        local fresh = models.new()
        assert(fresh.User{name = "x"}.name == "x")
        assert(#fresh.Post{title = "y"}.tags == 0)
      end, {points = not full and points or nil, allocator = allocator})
    end)
  end
end)
