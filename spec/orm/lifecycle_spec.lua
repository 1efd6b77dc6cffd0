--- Events of objects entering and leaving sessions, of transactions, and of statements.
local ag = require "argent"
local db = require "spec.support.db"
local loops = require "spec.support.loops"
local models = require "spec.support.models"

local transitions = {"transient_to_pending", "pending_to_transient", "persistent_to_transient", "pending_to_persistent", "deleted_to_persistent",
  "deleted_to_detached", "loaded_as_persistent", "persistent_to_deleted", "detached_to_persistent", "persistent_to_detached"}

for _, loop in ipairs(loops) do
  describe("session events, waiting by " .. loop.name, function()
    local m, User, Post, engine, seen
    before_each(function()
      m = models.new()
      User, Post = m.User, m.Post
      engine = models.engine(m.Base, {wait = loop.hook})
      seen = {}
    end)
    after_each(db.cleanup)

    local function with_session(f, options)
      loop.run(function()
        local session <close> = ag.Session(engine, options)
        f(session)
      end)
    end
    local function watch(session, ...)
      for _, name in ipairs{...} do
        ag.event.listen(session, name, function(s, object)
          assert.equal(session, s)
          seen[#seen + 1] = name .. " " .. (object and object.name or "?")
        end)
      end
    end
    local function take()
      local out = seen
      seen = {}
      return out
    end
    local function count(session) return session:scalar(ag.select(ag.func.count(User.id))) end

    it("tell every transition of an object", function()
      with_session(function(session)
        watch(session, table.unpack(transitions))
        local ann = User{name = "ann"}
        session:add(ann)
        assert.same({"transient_to_pending ann"}, take())
        session:expunge(ann)
        assert.same({"pending_to_transient ann"}, take())
        session:add(ann)
        session:flush()
        assert.same({"transient_to_pending ann", "pending_to_persistent ann"}, take())
        session:rollback()
        assert.same({"persistent_to_transient ann"}, take())
        session:add(ann)
        session:commit()
        take()
        session:delete(ann)
        session:flush()
        assert.same({"persistent_to_deleted ann"}, take())
        session:rollback()
        assert.same({"deleted_to_persistent ann"}, take())
        session:expunge(ann)
        assert.same({"persistent_to_detached ann"}, take())
        session:add(ann)
        assert.same({"detached_to_persistent ann"}, take())
        session:delete(ann)
        session:commit()
        assert.same({"persistent_to_deleted ann", "deleted_to_detached ann"}, take())
      end, {expire_on_commit = false})
    end)

    it("tell of loading and of closing", function()
      with_session(function(session)
        session:add_all{User{name = "ann"}, User{name = "bob"}}
        session:commit()
        session:expunge_all()
        watch(session, table.unpack(transitions))
        local all = session:scalars(ag.select(User):order_by(User.name)):all()
        assert.same({"loaded_as_persistent ann", "loaded_as_persistent bob"}, take())
        assert.equal(2, #all)
        session:close()
        local left = take()
        table.sort(left)
        assert.same({"persistent_to_detached ann", "persistent_to_detached bob"}, left)
      end)
    end)

    it("before_attach and after_attach stand around the entry, for cascades too", function()
      with_session(function(session)
        ag.event.listen(session, "before_attach", function(s, object) seen[#seen + 1] = {"before", object, s:contains(object)} end)
        ag.event.listen(session, "after_attach", function(s, object) seen[#seen + 1] = {"after", object, s:contains(object)} end)
        local post, later = Post{title = "p"}, Post{title = "later"}
        local ann = User{name = "ann", posts = {post}}
        session:add(ann)
        assert.same({{"before", ann, false}, {"before", post, false}, {"after", ann, true}, {"after", post, true}}, take())
        ann.posts:append(later)
        assert.same({{"before", later, false}, {"after", later, true}}, take())
        session:add(ann)
        assert.same({}, take())
      end)
    end)

    it("may query in a listener; an error in before_attach keeps the object out", function()
      with_session(function(session)
        local n
        ag.event.listen(session, "before_attach", function(s, object)
          n = s:no_autoflush(function() return count(s) end)
          if object.name == "bad" then error("not this one") end
        end)
        session:add(User{name = "ann"})
        assert.equal(0, n)
        local bad = User{name = "bad"}
        assert.is_false(pcall(session.add, session, bad))
        assert.is_false(session:contains(bad))
        session:commit()
        assert.equal(1, count(session))
      end)
    end)

    it("of transactions, in their order", function()
      with_session(function(session)
        for _, name in ipairs{"after_transaction_create", "after_begin", "before_commit", "before_flush", "after_flush", "after_flush_postexec",
          "after_commit", "after_rollback", "after_soft_rollback", "after_transaction_end"} do
          ag.event.listen(session, name, function(s)
            assert.equal(session, s)
            seen[#seen + 1] = name
          end)
        end
        session:add(User{name = "ann"})
        session:commit()
        assert.same({"before_commit", "before_flush", "after_transaction_create", "after_begin", "after_flush", "after_flush_postexec",
          "after_commit", "after_transaction_end"}, take())
        assert.equal(1, count(session))
        take()
        session:rollback()
        assert.same({"after_rollback", "after_soft_rollback", "after_transaction_end"}, take())
        session:begin_nested():rollback()
        assert.same("after_soft_rollback", seen[#seen])
      end)
    end)

    it("after_flush sees the lists as they were; it may write by the connection", function()
      with_session(function(session)
        local ann = User{name = "ann"}
        local bob = User{name = "bob"}
        session:add_all{ann, bob}
        session:commit()
        ag.event.listen(session, "after_flush", function(s)
          seen = {s.new, s.dirty, s.deleted, s:connection():scalar(ag.select(ag.func.count()):select_from(User.__table))}
        end)
        local carl = User{name = "carl"}
        session:add(carl)
        ann.age = 5
        session:delete(bob)
        session:flush()
        assert.same({{carl}, {ann}, {bob}, 2}, seen)
        assert.same({}, session.new)
        ag.event.listen(session, "after_flush", function() error("after all") end)
        ann.age = 6
        assert.is_false(pcall(session.flush, session))
        session:rollback()
        assert.same({}, session.new)
      end)
    end)

    it("listening on a sessionmaker and on ag.Session", function()
      loop.run(function()
        local maker = ag.sessionmaker(engine)
        local n = 0
        ag.event.listen(maker, "before_commit", function() n = n + 1 end)
        local all = ag.event.listens_for(ag.Session, "before_commit", function() n = n + 10 end)
        do
          local session <close> = maker()
          session:commit()
        end
        do
          local session <close> = ag.Session(engine)
          session:commit()
        end
        ag.event.remove(ag.Session, "before_commit", all)
        assert.equal(21, n)
      end)
    end)

    describe("do_orm_execute", function()
      local function fill(session)
        session:add_all{User{name = "ann", age = 30, posts = {Post{title = "a"}, Post{title = "b"}}}, User{name = "bob", age = 40}}
        session:commit()
      end

      it("may change the statement and its parameters, and query itself", function()
        with_session(function(session)
          fill(session)
          ag.event.listen(session, "do_orm_execute", function(state)
            if not state.is_select or state.all_mappers[1] ~= User.__mapper then return end
            assert.is_true(state.is_orm_statement)
            assert.equal(1, session:connection():scalar(ag.select(ag.literal(1))))
            state.statement = state.statement:where(User.age:gt(35))
          end)
          assert.equal("bob", session:scalars(ag.select(User)):one().name)
        end)
      end)

      it("sees lazy loads, and loader criteria that it adds hold there", function()
        with_session(function(session)
          fill(session)
          ag.event.listen(session, "do_orm_execute", function(state)
            seen[#seen + 1] = state.is_relationship_load and "relationship" or state.is_column_load and "column" or "other"
            if state.is_select and not state.is_column_load then
              state.statement = state.statement:options(ag.with_loader_criteria(Post, Post.title:ne("a")))
            end
          end)
          local ann = session:get(User, 1)
          assert.equal(1, #ann.posts)
          assert.equal("b", ann.posts[1].title)
          session:expire(ann, {"name"})
          assert.equal("ann", ann.name)
          assert.same({"relationship", "column"}, {seen[#seen - 1], seen[#seen]})
        end)
      end)

      it("may run the statement itself, or give a result in its place", function()
        with_session(function(session)
          fill(session)
          local kept
          ag.event.listen(session, "do_orm_execute", function(state)
            if kept then return kept() end
            local result = state:invoke_statement()
            kept = result:freeze()
            return kept()
          end)
          local sent = models.statements(engine)
          assert.equal(2, #session:scalars(ag.select(User.name)):all())
          assert.equal(2, #session:scalars(ag.select(User.name)):all())
          assert.equal(1, #sent)
        end)
      end)

      it("that raises stops the statement", function()
        with_session(function(session)
          fill(session)
          ag.event.listen(session, "do_orm_execute", function(state) if state.is_delete then error("no deletes") end end)
          assert.is_false(pcall(session.execute, session, ag.delete(User)))
          assert.equal(2, count(session))
        end)
      end)
    end)
  end)

  describe("instance events, waiting by " .. loop.name, function()
    local m, User, engine, seen
    before_each(function()
      m = models.new()
      User = m.User
      engine = models.engine(m.Base, {wait = loop.hook})
      seen = {}
    end)
    after_each(db.cleanup)
    local function with_session(f)
      loop.run(function()
        local session <close> = ag.Session(engine)
        session:add(User{name = "ann", age = 1})
        session:commit()
        f(session, session:scalars(ag.select(User)):one())
      end)
    end

    it("init may change the arguments", function()
      with_session(function(session)
        ag.event.listen(User, "init", function(target, _, kwargs)
          assert.equal(User, ag.inspect(target).class)
          kwargs.age = session:scalar(ag.select(ag.literal(7)))
          if kwargs.name == "bad" then error("no") end
        end)
        local given = {name = "x"}
        assert.equal(7, User(given).age)
        assert.is_nil(given.age)
        assert.is_false(pcall(User, {name = "bad"}))
      end)
    end)

    it("load and refresh", function()
      with_session(function(session, ann)
        ag.event.listen(User, "load", function(target, context) seen[#seen + 1] = {"load", target.name, context.session == session} end)
        ag.event.listen(User, "refresh", function(target, context, attrs)
          local n = context.session:connection():scalar(ag.select(ag.literal(1)))
          seen[#seen + 1] = {"refresh", target.name, n, attrs and #attrs}
        end)
        session:refresh(ann)
        session:refresh(ann, {"age"})
        session:expire(ann)
        assert.equal(1, ann.age)
        session:expire(ann)
        session:scalars(ag.select(User)):all()
        assert.same({{"refresh", "ann", 1, 3}, {"refresh", "ann", 1, 1}, {"refresh", "ann", 1, 3}, {"refresh", "ann", 1}}, seen)
        seen = {}
        session:expunge_all()
        session:scalars(ag.select(User)):all()
        assert.same({{"load", "ann", true}}, seen)
      end)
    end)

    it("expire", function()
      with_session(function(session, ann)
        ag.event.listen(User, "expire", function(target, attrs) seen[#seen + 1] = {target, attrs} end)
        session:expire(ann)
        session:expire(ann, {"age"})
        assert.same({{ann}, {ann, {"age"}}}, seen)
        seen = {}
        session:commit()
        assert.same({{ann}}, seen)
        ag.event.listen(User, "expire", function() error("stays") end)
        assert.is_false(pcall(session.expire, session, ann))
        assert.equal("ann", ann.name)
      end)
    end)

    it("refresh_flush: what the flush filled in", function()
      local Base = ag.declarative_base()
      local Item = Base:model("Item", {
        __tablename = "items",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        kind = ag.mapped_column(ag.Text, {default = "plain"}),
        version = ag.mapped_column(ag.Integer, {nullable = false}),
        note = ag.mapped_column(ag.Text),
        __mapper_args = {version_id_col = "version"},
      })
      Base.metadata:create_all(engine)
      with_session(function(session)
        ag.event.listen(Item, "refresh_flush", function(target, context, attrs)
          table.sort(attrs)
          seen[#seen + 1] = {target.kind, table.concat(attrs, " "), context.session:connection():scalar(ag.select(ag.func.count(Item.id)))}
        end)
        local item = Item{note = "a"}
        session:add(item)
        session:flush()
        item.note = "b"
        session:flush()
        assert.same({{"plain", "kind version", 1}, {"plain", "version", 1}}, seen)
        ag.event.listen(Item, "refresh_flush", function() error("not now") end)
        item.note = "c"
        assert.is_false(pcall(session.flush, session))
        session:rollback()
      end)
    end)
  end)
end
