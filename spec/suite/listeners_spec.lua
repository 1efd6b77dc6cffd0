--- What listeners may do: each event, and in it each thing that a program might do there (raise, query, roll back, close, collect
--- garbage, yield), during each kind of work. Nothing crashes, errors are error objects or the listener's own, and afterwards the engine
--- lends nothing and a new session works.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"

local own = {} -- what listeners raise

--- What a listener does: name → function(case), case = {m, engine, session, conn}.
local acts = {
  ["raises text"] = function() error("own text", 0) end,
  ["raises a table"] = function() error(own, 0) end,
  ["raises nil"] = function() error(nil, 0) end,
  ["raises an error object"] = function() error(ag.exc.InvalidRequestError("own text")) end,
  ["collects garbage"] = function() collectgarbage() end,
  ["returns nonsense"] = function() return 7, {}, "x" end,
  ["queries through the session"] = function(c) return c.session:scalars(ag.select(c.m.Tag)):all() end,
  ["flushes"] = function(c) c.session:flush() end,
  ["commits the session"] = function(c) c.session:commit() end,
  ["rolls the session back"] = function(c) c.session:rollback() end,
  ["closes the session"] = function(c) c.session:close() end,
  ["invalidates the session"] = function(c) c.session:invalidate() end,
  ["expunges all"] = function(c) c.session:expunge_all() end,
  ["expires all"] = function(c) c.session:expire_all() end,
  ["adds and deletes"] = function(c)
    c.session:add(c.m.Tag{name = "by listener"})
    c.session:delete(c.session:get(c.m.User, 1))
  end,
  ["changes the object"] = function(_, _, _, object)
    if object and type(object) == "userdata" then pcall(function() object.name = "changed" end) end
  end,
  ["closes the connection"] = function(c) c.conn:close() end,
  ["rolls the connection back"] = function(c) c.conn:rollback() end,
  ["uses the connection"] = function(c) return c.conn:exec_driver_sql("SELECT 1"):scalar() end,
  ["disposes the engine"] = function(c) c.engine:dispose() end,
  ["connects"] = function(c)
    local conn <close> = c.engine:connect()
    return conn:exec_driver_sql("SELECT 1"):scalar()
  end,
  ["yields"] = function() if coroutine.isyieldable() then coroutine.yield() end end,
}

--- Work: name → function(case).
local works = {
  ["a select"] = function(c) return c.conn:execute(ag.select(c.m.User)):all() end,
  ["an executemany"] = function(c)
    c.conn:execute(ag.insert(c.m.Tag.__table), {{name = "x1"}, {name = "x2"}})
    c.conn:rollback()
  end,
  ["an error"] = function(c) c.conn:exec_driver_sql("SELEKT") end,
  ["a savepoint"] = function(c)
    c.conn:begin_nested(function(conn) conn:exec_driver_sql("SELECT 1") end)
    c.conn:rollback()
  end,
  ["a stream"] = function(c)
    local n = 0
    for row in c.conn:execution_options{yield_per = 1}:execute(ag.select(c.m.User)):rows() do n = n + row.id end
    return n
  end,
  ["an engine's life"] = function(c)
    local engine = ag.create_engine(c.engine.url)
    c.target(engine)
    local ok, e = pcall(function()
      local conn = engine:connect()
      conn:exec_driver_sql("SELECT 1")
      conn:invalidate()
      conn:close()
    end)
    engine:dispose()
    if not ok then error(e, 0) end
  end,
  ["a block"] = function(c) c.engine:begin(function(conn) conn:exec_driver_sql("SELECT 1") end) end,
  ["a flush and a rollback"] = function(c)
    local ann = c.session:get(c.m.User, 1)
    ann.name = "other"
    ann.posts:append(c.m.Post{title = "third"})
    c.session:delete(ann.posts[1])
    c.session:flush()
    c.session:rollback()
  end,
  ["a nested transaction"] = function(c)
    c.session:begin_nested(function(s) s:add(c.m.Tag{name = "inner"}) end)
    c.session:rollback()
  end,
  ["loading"] = function(c)
    local users = c.session:scalars(ag.select(c.m.User):options(ag.selectinload(c.m.User.posts):joinedload(c.m.Post.tags))):all()
    c.session:refresh(users[1])
    return #users[1].posts
  end,
  ["coming and going"] = function(c)
    local tag = c.m.Tag{name = "brief"}
    c.session:add(tag)
    c.session:expunge(tag)
    local ann = c.session:get(c.m.User, 1)
    c.session:expire(ann)
    c.session:refresh(ann)
    local nested = c.session:begin_nested()
    c.session:add(c.m.Node{name = "node"})
    c.session:flush()
    nested:rollback()
    c.session:expunge(ann)
  end,
  ["a merge"] = function(c)
    c.session:merge(c.m.User{id = 1, name = "merged"})
    c.session:flush()
  end,
  ["a bulk statement"] = function(c)
    c.session:execute(ag.update(c.m.User):where(c.m.User.id:eq(1)):values{name = "bulk"})
    c.session:execute(ag.insert(c.m.Tag), {{name = "y1"}, {name = "y2"}})
    c.session:rollback()
  end,
  ["a commit"] = function(c)
    c.session:add(c.m.Node{name = "node"})
    c.session:commit()
  end,
}

local connection_events = {"begin", "commit", "rollback", "savepoint", "rollback_savepoint", "release_savepoint", "before_execute",
  "after_execute", "before_cursor_execute", "after_cursor_execute", "handle_error", "engine_connect"}
local pool_events = {"connect", "checkout", "checkin", "reset", "invalidate", "close", "do_execute", "do_executemany", "do_connect",
  "engine_disposed"}
local session_events = {"before_flush", "after_flush", "after_flush_postexec", "before_commit", "after_commit", "after_rollback",
  "after_soft_rollback", "after_begin", "after_transaction_create", "after_transaction_end", "do_orm_execute", "after_bulk_update",
  "before_attach", "after_attach", "transient_to_pending", "pending_to_persistent", "persistent_to_deleted", "loaded_as_persistent",
  "persistent_to_detached", "deleted_to_persistent", "pending_to_transient"}
local class_events = {"before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete", "load", "refresh",
  "refresh_flush", "expire", "init"}

local function sorted(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function excused(e)
  return e == nil or rawequal(e, own) or ag.exc.is_error(e)
    or type(e) == "string" and (e == "own text" or e:find "stack overflow" or e:find "spec/suite/listeners_spec")
end

--- All combinations are many; unless ARGENT_SWEEP=full every ninth is played.
local step = os.getenv "ARGENT_SWEEP" == "full" and 1 or 9

--- The class whose objects the works insert and delete.
local classes = {before_insert = "Post", after_insert = "Post", refresh_flush = "Post", before_delete = "Post", after_delete = "Post"}
--- Events that none of the works brings about.
local unheard = {refresh_flush = true, checkin = db.memory, reset = db.memory}

describe("listeners", function()
  local m, engine
  setup(function()
    m = models.new()
    if db.memory then return end
    engine = models.engine(m.Base)
    models.fill(m, engine)
  end)
  teardown(function()
    engine = nil
    db.cleanup()
  end)

  --- An engine for one play, on a filled database.
  local function play_engine()
    if not db.memory then return ag.create_engine(engine.url, {pool_size = 2, max_overflow = 2, pool_timeout = 0.2}) end
    local own_engine = ag.create_engine("sqlite://")
    m.Base.metadata:create_all(own_engine)
    models.fill(m, own_engine)
    return own_engine
  end

  --- The listener acts once at a time, and not for ever.
  local function listener_of(c, act)
    local inside = false
    return function(...)
      if inside or c.seen > 20 then return end
      c.seen, inside = c.seen + 1, true
      local result = table.pack(pcall(acts[act], c, ...))
      inside = false
      if not result[1] then error(result[2], 0) end
      return table.unpack(result, 2, result.n)
    end
  end

  --- In a coroutine, which goes on when the listener yields, and is closed when it never ends.
  local function work_in_thread(c, work, what)
    local thread = coroutine.create(function() works[work](c) end)
    for _ = 1, 30 do
      local ok, e = coroutine.resume(thread)
      if not ok then assert(excused(e), what .. tostring(e)) end
      if coroutine.status(thread) == "dead" then break end
    end
    local ok, e = coroutine.close(thread) -- of one that raised: what it had to close
    assert(ok or excused(e), what .. tostring(e))
  end

  --- Work with a listener that acts. → how often it was called
  local function play(kind, event, act, work)
    local c = {m = m, engine = play_engine(), seen = 0}
    c.session, c.conn = ag.Session(c.engine), c.engine:connect()
    local what = ("%s of %s: a listener that %s, in %s: "):format(event, kind, act, work)
    local target = kind == "session" and c.session or kind == "class" and m[classes[event] or "User"] or c.engine
    local listener = listener_of(c, act)
    ag.event.listen(target, event, listener)
    c.target = function(other) if target == c.engine then ag.event.listen(other, event, listener) end end
    work_in_thread(c, work, what)
    ag.event.remove(target, event, listener)
    for _, ending in ipairs{c.session, c.conn} do
      local ok, e = pcall(ending.close, ending)
      assert(ok or excused(e), what .. "closing: " .. tostring(e))
    end
    local pool = c.engine.pool
    c.engine:dispose()
    assert.equal(0, pool:checkedout(), what .. "lent")
    return c.seen, what
  end

  --- The database goes on, and gets its rows again.
  local function check_database(what)
    local session <close> = ag.Session(engine)
    local ok, e = pcall(function() return #session:scalars(ag.select(m.User)):all() end)
    assert(ok, what .. tostring(e))
    for _, tab in ipairs{m.post_tags, m.Post.__table, m.Tag.__table, m.User.__table, m.Node.__table} do session:execute(ag.delete(tab)) end
    session:execute(ag.insert(m.User.__table):values{id = 1, name = "ann", age = 30})
    for id = 1, 2 do session:execute(ag.insert(m.Post.__table):values{id = id, author_id = 1, title = "t"}) end
    session:commit()
  end

  local number = 0
  for kind, events in pairs{engine = connection_events, pool = pool_events, session = session_events, class = class_events} do
    for _, event in ipairs(events) do
      it(("of %s (%s) may do what they like"):format(event, kind), function()
        local seen = 0
        for _, act in ipairs(sorted(acts)) do
          for _, work in ipairs(sorted(works)) do
            number = number + 1
            if number % step == 0 then
              local n, what = play(kind, event, act, work)
              seen = seen + n
              if n > 0 and not db.memory then check_database(what) end
            end
          end
        end
        assert(seen > 0 or unheard[event], event .. " was never heard")
      end)
    end
  end
end)
