--- Streams of objects, sessions on connections, two-phase sessions, ORM-enabled UPDATE and DELETE, merge.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("a session", function()
  local m, User, Post, engine, session, sent
  before_each(function()
    m = models.new()
    User, Post = m.User, m.Post
    engine = models.engine(m.Base)
    session = ag.Session(engine)
    sent = models.statements(engine)
  end)
  after_each(function()
    session:close()
    db.cleanup()
  end)
  local function fill(n)
    for i = 1, n do session:add(User{name = "u" .. i, age = i, posts = {Post{title = "p" .. i}}}) end
    session:commit()
    session:expunge_all()
  end
  local function count_sent(f) return #(models.sent(sent, f)) end

  describe("streams objects", function()
    local function stream(options)
      return session:scalars(ag.select(User):order_by(User.id), nil, {execution_options = options or {yield_per = 4}})
    end

    it("window by window", function()
      fill(10)
      local names, loaded = {}, 0
      ag.event.listen(User, "load", function() loaded = loaded + 1 end)
      for user in stream():rows() do
        names[#names + 1] = user.name
        if #names == 1 then assert.is_true(loaded <= 5) end
      end
      assert.equal(10, #names)
      assert.equal(10, loaded)
      assert.equal("u10", names[10])
    end)

    it("in partitions, and with the statement's own option", function()
      fill(10)
      local sizes = {}
      for part in stream():partitions() do sizes[#sizes + 1] = #part end
      assert.same({4, 4, 2}, sizes)
      sizes = {}
      local result = session:execute(ag.select(User):order_by(User.id):execution_options{yield_per = 3}):scalars()
      for part in result:partitions(5) do sizes[#sizes + 1] = #part end
      assert.same({5, 5}, sizes)
      sizes = {}
      for part in session:scalars(ag.select(User)):yield_per(6):partitions() do sizes[#sizes + 1] = #part end
      assert.same({6, 4}, sizes)
    end)

    it("with what selectinload brings, window by window", function()
      fill(9)
      local stmt = ag.select(User):order_by(User.id):options(ag.selectinload(User.posts)):execution_options{yield_per = 4}
      local titles = {}
      local n = count_sent(function()
        for user in session:scalars(stmt):rows() do titles[#titles + 1] = user.posts[1].title end
      end)
      assert.equal(9, #titles)
      assert.equal(4, n)
    end)

    it("but not with joined collections", function()
      fill(2)
      raises("InvalidRequestError", "yield_per", session.execute, session,
        ag.select(User):options(ag.joinedload(User.posts)):execution_options{yield_per = 1})
    end)

    it("that are empty, or left early", function()
      assert.same({}, stream():all())
      fill(10)
      local n = 0
      for user in stream():rows() do
        n = n + 1
        assert.equal("u" .. n, user.name)
        if n == 2 then break end
      end
      assert.equal("u1", stream():first().name)
      assert.equal(10, #stream():all())
      session:commit()
    end)

    it("and gives those that it has already", function()
      fill(3)
      local one = session:get(User, 1)
      assert.equal(one, stream():first())
    end)
  end)

  describe("on a connection", function()
    local function outer(mode, f)
      local conn <close> = engine:connect()
      local tx = conn:begin()
      local inner <close> = ag.Session(conn, {join_transaction_mode = mode})
      f(conn, tx, inner)
    end
    local function count(conn) return conn:scalar(ag.select(ag.func.count()):select_from(User.__table)) end

    it("commits nothing of the outer transaction by default", function()
      outer(nil, function(conn, tx, inner)
        inner:add(User{name = "a"})
        inner:commit()
        assert.is_true(tx.is_active)
        assert.equal(1, count(conn))
        tx:rollback()
        assert.equal(0, count(conn))
      end)
    end)

    it("rolls the outer transaction back by default", function()
      outer("rollback_only", function(conn, tx, inner)
        inner:add(User{name = "a"})
        inner:flush()
        inner:rollback()
        assert.is_false(tx.is_active)
        assert.equal(0, count(conn))
      end)
    end)

    it("works in a savepoint with create_savepoint, and where the connection is in one", function()
      outer("create_savepoint", function(conn, tx, inner)
        inner:add(User{name = "a"})
        inner:commit()
        inner:add(User{name = "b"})
        inner:flush()
        inner:rollback()
        assert.is_true(tx.is_active)
        assert.equal(1, count(conn))
        tx:commit()
        assert.equal(1, count(conn))
      end)
      local conn <close> = engine:connect()
      local tx = conn:begin()
      local nested = conn:begin_nested()
      do
        local inner <close> = ag.Session(conn)
        inner:add(User{name = "c"})
        inner:flush()
      end
      assert.is_true(nested.is_active)
      nested:rollback()
      tx:rollback()
    end)

    it("ends the outer transaction with control_fully", function()
      outer("control_fully", function(conn, tx, inner)
        inner:add(User{name = "a"})
        inner:commit()
        assert.is_false(tx.is_active)
        conn:rollback()
        assert.equal(1, count(conn))
      end)
      raises("ArgumentError", "did you mean 'rollback_only'", ag.Session, engine, {join_transaction_mode = "rollbak_only"})
    end)

    it("leaves the connection open at the end of its scope", function()
      local conn <close> = engine:connect()
      do
        local inner <close> = ag.Session(conn)
        inner:add(User{name = "a"})
        inner:flush()
      end
      assert.is_false(conn.closed)
      conn:rollback()
      assert.equal(0, count(conn))
    end)
  end)

  if db.has.two_phase then
    it("commits in two phases", function()
      local two <close> = ag.Session(engine, {twophase = true})
      two:add(User{name = "a"})
      two:prepare()
      two:commit()
      assert.equal(1, session:scalar(ag.select(ag.func.count(User.id))))
      two:add(User{name = "b"})
      two:commit()
      two:add(User{name = "c"})
      two:prepare()
      two:rollback()
      session:rollback()
      assert.equal(2, session:scalar(ag.select(ag.func.count(User.id))))
    end)
  end

  describe("UPDATE and DELETE", function()
    it("expire what was set on the objects whose rows matched, others stay", function()
      fill(4)
      local all = session:scalars(ag.select(User):order_by(User.id)):all()
      for _, mode in ipairs{"auto", "fetch", "evaluate"} do
        session:execute(ag.update(User):where(User.age:gt(2)):values{age = User.age + 10}, nil, {execution_options = {synchronize_session = mode}})
        assert.equal(0, count_sent(function() return all[1].age + #all[3].name end))
        assert.same({"age"}, ag.inspect(all[3]).unloaded[1] == "age" and {"age"} or ag.inspect(all[3]).unloaded)
      end
      assert.equal(33, all[3].age)
      assert.equal(1, all[1].age)
    end)

    it("leave objects alone with synchronize_session = false", function()
      fill(2)
      local one = session:get(User, 1)
      session:execute(ag.update(User):values{age = 50}, nil, {execution_options = {synchronize_session = false}})
      assert.equal(1, one.age)
      session:execute(ag.delete(Post))
      session:execute(ag.delete(User):execution_options{synchronize_session = false})
      assert.is_true(session:contains(one))
      raises("ArgumentError", "did you mean 'fetch'", session.execute, session, ag.delete(User), nil,
        {execution_options = {synchronize_session = "fetsh"}})
    end)

    it("delete objects, and a rollback brings them back", function()
      fill(3)
      local all = session:scalars(ag.select(Post):order_by(Post.id)):all()
      session:execute(ag.delete(Post):where(Post.title:eq("p2")))
      assert.is_true(ag.inspect(all[2]).deleted)
      assert.is_true(ag.inspect(all[1]).persistent)
      session:rollback()
      assert.is_true(ag.inspect(all[2]).persistent)
      assert.equal("p2", all[2].title)
    end)

    it("tell after_bulk_update and after_bulk_delete, which may query and raise", function()
      fill(3)
      local seen = {}
      ag.event.listen(session, "after_bulk_update", function(context)
        seen[#seen + 1] = {"update", context.rowcount, context.mapper.class, context.session:scalar(ag.select(ag.func.max(User.age)))}
      end)
      ag.event.listen(session, "after_bulk_delete", function(context) error("deleted " .. context.rowcount) end)
      session:execute(ag.update(User):values{age = 9})
      assert.same({{"update", 3, User, 9}}, seen)
      local ok, e = pcall(session.execute, session, ag.delete(Post))
      assert.is_false(ok)
      assert.truthy(tostring(e):find("deleted 3", 1, true))
    end)

    it("by primary key: rows of tables, those of the same keys in one statement", function()
      fill(5)
      local one = session:get(User, 1)
      local statements = models.sent(sent, function()
        session:execute(ag.update(User), {{id = 1, name = "x"}, {id = 2, name = "y"}, {id = 3, name = "z", age = 100}})
      end)
      assert.equal(2, #statements)
      assert.equal("x", one.name)
      assert.same({"x", "y", "z", "u4", "u5"}, session:scalars(ag.select(User.name):order_by(User.id)):all())
      assert.equal(100, session:get(User, 3).age)
      raises("InvalidRequestError", "No primary key value", session.execute, session, ag.update(User), {{name = "x"}})
      raises("ArgumentError", "did you mean 'name'", session.execute, session, ag.update(User), {{id = 1, nmae = "x"}})
      raises("StaleDataError", "expected to update 2", session.execute, session, ag.update(User), {{id = 1, name = "q"}, {id = 99, name = "r"}})
    end)

    it("bulk INSERT, also with RETURNING objects", function()
      session:execute(ag.insert(User), {{name = "a", age = 1}, {name = "b"}})
      local users = session:scalars(ag.insert(User):returning(User), {{name = "c"}, {name = "d"}}):all()
      assert.equal(2, #users)
      assert.is_true(ag.inspect(users[1]).persistent)
      users[1].age = 77
      session:commit()
      assert.equal(4, session:scalar(ag.select(ag.func.count(User.id))))
      assert.equal(77, users[1].age)
    end)
  end)

  describe("merge with load = false", function()
    it("takes objects over without SQL", function()
      fill(2)
      local user = session:scalars(ag.select(User):where(User.id:eq(1)):options(ag.selectinload(User.posts))):one()
      session:expunge_all()
      local other <close> = ag.Session(engine)
      local copy
      assert.equal(0, count_sent(function()
        copy = other:merge(user, {load = false})
        assert.equal("u1", copy.name)
        assert.equal("p1", copy.posts[1].title)
      end))
      assert.is_true(ag.inspect(copy).persistent)
      assert.is_false(ag.inspect(copy).modified)
      assert.equal(other, ag.object_session(copy.posts[1]))
      assert.equal(copy, other:merge(user, {load = false}))
      user.name = "changed"
      local third <close> = ag.Session(engine)
      raises("InvalidRequestError", "dirty", third.merge, third, user, {load = false})
      raises("InvalidRequestError", "transient", third.merge, third, User{name = "new"}, {load = false})
    end)
  end)

  describe("get and refresh", function()
    it("refresh some attributes, locking the row", function()
      fill(1)
      local user = session:get(User, 1)
      user.name, user.age = "mine", 5
      session:no_autoflush(function() session:refresh(user, {"age"}) end)
      assert.equal("mine", user.name)
      assert.equal(1, user.age)
      local statements = models.sent(sent, function() session:refresh(user, {"age", "posts"}, {with_for_update = true}) end)
      assert.equal(db.postgresql, statements[2]:find("FOR UPDATE") ~= nil)
    end)

    it("get with options, populate_existing, with_for_update", function()
      fill(2)
      local user = session:get(User, 1, {options = {ag.selectinload(User.posts)}})
      assert.equal(0, count_sent(function() return #user.posts end))
      engine:begin(function(conn)
        if db.memory then return end
        conn:execute(ag.update(User.__table):where(User.id:eq(2)):values{age = 70})
      end)
      assert.equal(0, count_sent(function() return session:get(User, 1, {options = {ag.selectinload(User.posts)}}) end))
      local statements = models.sent(sent, function() session:get(User, 1, {with_for_update = {nowait = true}}) end)
      assert.equal(1, #statements)
      assert.equal(db.postgresql, statements[1]:find("FOR UPDATE NOWAIT") ~= nil)
      user.name = "lost"
      session:no_autoflush(function() session:get(User, 1, {populate_existing = true}) end)
      assert.equal("u1", user.name)
    end)

    it("get with a list whose __len is no number", function()
      local odd = setmetatable({1}, {__len = function() return setmetatable({}, {__lt = function() return false end}) end})
      local ok, e = pcall(session.get, session, User, odd)
      assert.is_false(ok)
      assert.matches("an identity is a value or a list of 1 values, got a table of length ", e.message, 1, true)
    end)

    it("execute with populate_existing overwrites changes", function()
      fill(1)
      local user = session:get(User, 1)
      user.name = "lost"
      session:no_autoflush(function()
        session:execute(ag.select(User):execution_options{populate_existing = true}):all()
      end)
      assert.equal("u1", user.name)
      assert.equal(0, #session.dirty)
    end)

    it("has a free table, session.info", function()
      local other <close> = ag.Session(engine, {info = {tenant = 7}})
      assert.equal(7, other.info.tenant)
      session.info.x = 1
      assert.equal(1, session.info.x)
    end)
  end)
end)
