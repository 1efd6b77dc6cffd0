-- scoped_session: one session a coroutine or scope; and options of sessions that say how they begin and end.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

describe("scoped_session", function()
  local engine, Base, User, Session

  before_each(function()
    engine = db.engine()
    Base = ag.declarative_base()
    User = Base:model("User", {__tablename = "scoped_users", id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text)})
    Base.metadata:drop_all(engine)
    Base.metadata:create_all(engine)
    Session = ag.scoped_session(ag.sessionmaker(engine, {expire_on_commit = false}))
  end)
  after_each(function()
    Session:remove()
    Base.metadata:drop_all(engine)
    engine:dispose()
  end)

  it("is one session wherever it is used", function()
    assert.equal(Session(), Session())
    local ann = User{name = "ann"}
    Session:add(ann)
    assert.equal(1, #Session.new)
    assert.is_true(Session:contains(ann))
    Session:commit()
    assert.equal(Session(), ag.object_session(ann))
    assert.equal("ann", Session:scalars(ag.select(User)):one().name)
    assert.equal(1, Session:scalar(ag.select(ag.func.count(User.id))))
    assert.is_false(Session.expire_on_commit)
  end)
  it("a coroutine has its own, which goes with it", function()
    local main, other = Session(), nil
    local weak = setmetatable({}, {__mode = "v"})
    coroutine.wrap(function()
      weak[1] = Session()
      other = tostring(weak[1])
      assert.are_not.equal(main, weak[1])
      Session:scalar(ag.select(ag.func.count(User.id))) -- a connection is out
    end)()
    assert.is_string(other)
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(weak[1])
    assert.equal(main, Session())
    Session:remove()
    local _, n = pcall(function() return engine.pool:checkedout() end)
    assert.equal(0, tonumber(n) or 0)
  end)
  it("remove closes it; the next use makes another", function()
    local first = Session()
    local ann = User{name = "ann"}
    Session:add(ann)
    Session:remove()
    assert.is_false(Session.registry:has())
    assert.is_nil(ag.object_session(ann))
    assert.are_not.equal(first, Session())
  end)
  it("takes options for the first use only; configure is for later ones", function()
    local quiet = Session{autoflush = false}
    assert.is_false(quiet.autoflush)
    expect.raises("InvalidRequestError", "already present", Session, {autoflush = true})
    local warned
    local warn = _G.warn
    _G.warn = function(text) warned = text end
    Session:configure{expire_on_commit = true}
    _G.warn = warn
    assert.match("can not affect sessions", warned, 1, true)
    Session:remove()
    assert.is_true(Session().expire_on_commit)
  end)
  it("a function of the program's says what a scope is", function()
    local request = "one"
    local ByRequest = ag.scoped_session(ag.sessionmaker(engine), function() return request end)
    local one = ByRequest()
    request = "two"
    local two = ByRequest()
    assert.are_not.equal(one, two)
    request = "one"
    assert.equal(one, ByRequest())
    ByRequest:remove()
    request = "two"
    ByRequest:remove()
    request = nil
    expect.raises("ArgumentError", "no key for the scope", ByRequest)
  end)
  it("the registry takes a session made elsewhere", function()
    local mine <close> = ag.Session(engine)
    Session:remove()
    Session.registry:set(mine)
    assert.equal(mine, Session())
    Session.registry:clear()
    assert.is_false(Session.registry:has())
    expect.raises("ArgumentError", {"ScopedRegistry:set", "Session"}, Session.registry.set, Session.registry, 5)
  end)
  it("fields can be set; misuse is refused", function()
    Session.autoflush = false
    assert.is_false(Session().autoflush)
    expect.raises("ArgumentError", "colon", Session.commit)
    expect.raises("ArgumentError", "ag.scoped_session", ag.scoped_session)
    expect.raises("ArgumentError", "ag.scoped_session", ag.scoped_session, ag.sessionmaker(engine), 5)
    local ok, e = pcall(function() return Session.comit end)
    assert.is_true(not ok and ag.exc.is_error(e))
    assert.match("commit", tostring(e), 1, true)
  end)
end)

describe("a session's beginning and end", function()
  local engine
  before_each(function() engine = db.engine() end)

  it("commit() and rollback() end the transaction with its savepoints; a savepoint's handle ends it alone", function()
    local session <close> = ag.Session(engine)
    for _, name in ipairs{"commit", "rollback"} do
      session:execute(ag.text "select 1")
      local outer, inner = session:begin_nested(), session:begin_nested()
      session[name](session)
      assert.is_false(session:in_transaction())
      assert.is_false(session:in_nested_transaction())
      expect.raises("ResourceClosedError", "closed", inner.commit, inner)
      expect.raises("ResourceClosedError", "closed", outer.rollback, outer)
    end
    local sp = session:begin_nested()
    sp:rollback()
    assert.is_true(session:in_transaction())
    assert.is_false(session:in_nested_transaction())
  end)
  after_each(function() engine:dispose() end)

  it("autobegin = false: nothing happens before begin()", function()
    local session <close> = ag.Session(engine, {autobegin = false})
    expect.raises("InvalidRequestError", "Autobegin is disabled", session.execute, session, ag.text "select 1")
    expect.raises("InvalidRequestError", "Autobegin is disabled", session.connection, session)
    session:begin()
    assert.equal(1, session:scalar(ag.text "select 1"))
    session:commit()
    expect.raises("InvalidRequestError", "begin()", session.scalar, session, ag.text "select 1")
    session:begin_nested()
    assert.equal(1, session:scalar(ag.text "select 1"))
    session:rollback()
    assert.equal(2, session:begin(function(s) return s:scalar(ag.text "select 2") end))
  end)
  it("execution_options hold for its statements", function()
    local seen = {}
    ag.event.listen(engine, "before_cursor_execute", function(conn) seen[#seen + 1] = conn:get_execution_options().tag end)
    local session <close> = ag.Session(engine, {execution_options = {tag = "mine"}})
    session:execute(ag.text "select 1")
    assert.same({"mine"}, seen)
    local plain <close> = ag.Session(engine)
    session:close()
    plain:execute(ag.text "select 1")
    assert.same({"mine"}, seen)
  end)
  it("close_resets_only = false: close() is for good", function()
    local session <close> = ag.Session(engine, {close_resets_only = false})
    assert.equal(1, session:scalar(ag.text "select 1"))
    session:reset()
    assert.equal(1, session:scalar(ag.text "select 1"))
    session:close()
    expect.raises("InvalidRequestError", "permanently closed", session.scalar, session, ag.text "select 1")
    expect.raises("InvalidRequestError", "permanently closed", session.begin, session)
    session:close()
  end)
end)
