local ag = require "argent"
local db = require "spec.support.db"
local loops = require "spec.support.loops"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

for _, loop in ipairs(loops) do
  describe("ORM events, waiting by " .. loop.name, function()
    local m, User, Post, engine
    before_each(function()
      m = models.new()
      User, Post = m.User, m.Post
      engine = models.engine(m.Base, {wait = loop.hook})
    end)
    after_each(db.cleanup)

    --- Run f(session) in the loop.
    local function with_session(f)
      loop.run(function()
        local session <close> = ag.Session(engine)
        f(session)
      end)
    end
    local function count(session, class) return session:scalar(ag.select(ag.func.count()):select_from(class)) end

    it("before_flush may query and add objects", function()
      with_session(function(session)
        ag.event.listen(session, "before_flush", function(s)
          local n = s:no_autoflush(function() return count(s, User) end)
          s:add(Post{title = ("after %d users"):format(n)})
        end, {once = true})
        session:add(User{name = "ann"})
        session:commit()
        assert.equal("after 0 users", session:scalar(ag.select(Post.title)))
      end)
    end)

    it("before_flush that raises stops the flush and changes nothing", function()
      with_session(function(session)
        ag.event.listen(session, "before_flush", function() error("not today") end, {once = true})
        local ann = User{name = "ann"}
        session:add(ann)
        local ok, e = pcall(session.flush, session)
        assert.is_false(ok)
        assert.truthy(tostring(e):find("not today", 1, true))
        assert.same({ann}, session.new)
        session:commit()
        assert.equal(1, count(session, User))
      end)
    end)

    for _, what in ipairs{"insert", "update", "delete"} do
      for _, when in ipairs{"before", "after"} do
        local name = when .. "_" .. what

        local function change(session, ann)
          if what == "insert" then session:add(ann) end
          if what == "update" then ann.age = 99 end
          if what == "delete" then session:delete(ann) end
        end
        local function prepare(session)
          local ann = User{name = "ann", age = 1}
          if what ~= "insert" then
            session:add(ann)
            session:commit()
            local _ = ann.name
          end
          return ann
        end

        it(name .. " gets mapper, connection and object, and may query", function()
          with_session(function(session)
            local ann = prepare(session)
            local seen
            ag.event.listen(User, name, function(mapper, connection, target)
              seen = {mapper.class, target, connection:scalar(ag.select(ag.func.count()):select_from(User.__table))}
            end)
            change(session, ann)
            session:flush()
            assert.equal(User, seen[1])
            assert.equal(ann, seen[2])
            assert.equal("number", type(seen[3]))
            session:commit()
          end)
        end)

        it(name .. " that raises fails the flush, and everything is as before", function()
          with_session(function(session)
            local ann = prepare(session)
            local angry = true
            ag.event.listen(User, name, function() if angry then error({code = 42}) end end)
            change(session, ann)
            local ok, e = pcall(session.flush, session)
            assert.is_false(ok)
            assert.equal(42, e.code)
            assert.same(what == "insert" and {ann} or {}, session.new)
            assert.same(what == "update" and {ann} or {}, session.dirty)
            assert.same(what == "delete" and {ann} or {}, session.deleted)
            angry = false
            session:rollback()
            change(session, ann)
            session:commit()
            assert.equal(what == "delete" and 0 or 1, count(session, User))
          end)
        end)
      end
    end

    it("before_insert may set attributes", function()
      with_session(function(session)
        ag.event.listen(User, "before_insert", function(_, _, user) user.age = #user.name end)
        session:add_all{User{name = "ann"}, User{name = "methuselah"}}
        session:commit()
        assert.same({3, 10}, session:scalars(ag.select(User.age):order_by(User.age)):all())
      end)
    end)

    it("load and refresh tell of objects", function()
      models.fill(m, engine)
      with_session(function(session)
        local loaded, refreshed = {}, {}
        ag.event.listen(User, "load", function(user) loaded[#loaded + 1] = user.name end)
        ag.event.listen(User, "refresh", function(user) refreshed[#refreshed + 1] = user end)
        local ann = session:scalars(ag.select(User):order_by(User.id)):all()[1]
        assert.same({"ann", "bob"}, loaded)
        session:scalars(ag.select(User)):all()
        assert.equal(2, #loaded)
        session:refresh(ann)
        local _ = refreshed
      end)
    end)

    it("validators and attribute listeners may query and raise", function()
      with_session(function(session)
        session:add(User{name = "ann"})
        session:commit()
        ag.event.listen({User, "name"}, "set", function(_, value)
          if session:scalar(ag.select(ag.func.count()):select_from(User):where(User.name:eq(value))) > 0 then error("taken") end
          return value:lower()
        end, {retval = true})
        local bob = User{}
        bob.name = "BOB"
        assert.equal("bob", bob.name)
        assert.has_error(function() bob.name = "ann" end)
        assert.equal("bob", bob.name)
      end)
    end)

    it("append and remove tell of members", function()
      local log = {}
      ag.event.listen(User.posts, "append", function(user, post) log[#log + 1] = "+" .. user.name .. post.title end)
      ag.event.listen(User.posts, "remove", function(user, post) log[#log + 1] = "-" .. user.name .. post.title end)
      local ann, post = User{name = "ann"}, Post{title = "x"}
      ann.posts:append(post)
      ann.posts:remove(post)
      assert.same({"+annx", "-annx"}, log)
    end)

    it("function defaults may query", function()
      with_session(function(session)
        local Base = ag.declarative_base()
        local n = 0
        local T = Base:model("T", {__tablename = "ts", id = ag.mapped_column(ag.Integer, {primary_key = true}),
          made = ag.mapped_column(ag.Integer, {default = function() n = n + 1; return n end}),
          fixed = ag.mapped_column(ag.Integer, {default = 7}),
          changed = ag.mapped_column(ag.Integer, {onupdate = function() return 5 end})})
        Base.metadata:create_all(engine)
        local a, b = T{}, T{made = 100}
        session:add_all{a, b}
        session:commit()
        assert.equal(1, a.made)
        assert.equal(7, a.fixed)
        assert.equal(100, b.made)
        assert.is_nil(a.changed)
        a.fixed = 8
        session:commit()
        assert.equal(5, a.changed)
      end)
    end)

    it("session events come in order", function()
      with_session(function(session)
        local log = {}
        for _, name in ipairs{"before_commit", "before_flush", "after_flush", "after_flush_postexec", "after_commit", "after_begin"} do
          ag.event.listen(session, name, function() log[#log + 1] = name end)
        end
        session:add(User{name = "ann"})
        session:commit()
        assert.same({"before_commit", "before_flush", "after_begin", "after_flush", "after_flush_postexec", "after_commit"}, log)
        ag.event.listen(session, "after_rollback", function() log[#log + 1] = "after_rollback" end)
        session:execute(ag.select(User)):all()
        session:rollback()
        assert.equal("after_rollback", log[#log])
      end)
    end)

    it("do_orm_execute may change the statement", function()
      models.fill(m, engine)
      with_session(function(session)
        ag.event.listen(session, "do_orm_execute", function(state)
          if state.is_select then state.statement = state.statement:where(User.name:eq("bob")) end
        end)
        assert.equal("bob", session:scalars(ag.select(User)):one().name)
      end)
    end)

    it("objects load attributes inside the loop", function()
      models.fill(m, engine)
      with_session(function(session)
        local ann = session:get(User, 1)
        assert.equal("red", ann.posts[2].tags[1].name)
        local titles = {}
        for i, post in ipairs(ann.posts) do titles[i] = post.title .. #post.tags end
        assert.same({"first0", "second2"}, titles)
      end)
    end)
  end)
end

describe("listening", function()
  it("on unknown events raises with the nearest name", function()
    local m = models.new()
    raises("ArgumentError", {"before_inser", "did you mean 'before_insert'"}, function()
      ag.event.listen(m.User, "before_inser", function() end)
    end)
    raises("ArgumentError", "did you mean 'before_flush'", function() ag.event.listen(ag.Session, "before_flsh", function() end) end)
  end)

  it("on a class holds for its subclasses with propagate, and ends with remove", function()
    local Base = ag.declarative_base()
    local A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), kind = ag.mapped_column(ag.Text),
      __mapper_args = {polymorphic_on = "kind", polymorphic_identity = "a"}})
    local B = A:model("B", {__mapper_args = {polymorphic_identity = "b"}})
    local seen = {}
    local function on_init(object) seen[#seen + 1] = object.kind end
    ag.event.listen(A, "init", on_init)
    A{}
    B{}
    assert.same({"a"}, seen)
    ag.event.remove(A, "init", on_init)
    ag.event.listen(A, "init", on_init, {propagate = true})
    A{}
    B{}
    local C = A:model("C", {__mapper_args = {polymorphic_identity = "c"}})
    C{}
    assert.same({"a", "a", "b", "c"}, seen)
    ag.event.remove(A, "init", on_init)
    A{}
    assert.equal(4, #seen)
  end)
end)
