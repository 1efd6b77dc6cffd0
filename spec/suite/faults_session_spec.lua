--- The database fails at the k-th call of a session's work, for every k: as an error, as a lost connection before or after the call. Then
--- what was raised is an error object, the database has exactly the transactions that commit() told of (or, when the outcome is said to be
--- unknown, perhaps one more), the session works after a rollback, its objects are what they were, and no connection stays lent.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"

local kinds = {"error", "error=40001", "lost", "lost-after"}
local points = {"statement", "fetch", "drain"}
local MOST = 60 -- calls of the longest scenario, generously

--- name → function(case): works with case.session, calls case.committed() after each commit. `options` are the session's.
local scenarios, options = {}, {}

scenarios["objects of many tables"] = function(c)
  local eve = c.m.User{name = "eve", posts = {c.m.Post{title = "one", tags = {c.m.Tag{name = "new"}, c.tag}}, c.m.Post{title = "two"}}}
  c.fresh = {eve, eve.posts[1], eve.posts[2], eve.posts[1].tags[1]}
  c.session:add(eve)
  c.session:add(c.m.Node{name = "root", children = {c.m.Node{name = "leaf"}}})
  c.session:flush()
  c.flushed = true
  eve.name = "Eve"
  c.session:commit()
  c.committed()
end

scenarios["a many-to-many"] = function(c)
  local posts = c.ann.posts
  posts[1].tags:append(c.tag)
  posts[2].tags:clear()
  posts[2].tags:append(c.m.Tag{name = "green"})
  c.session:commit()
  c.committed()
end

scenarios["a versioned update"] = function(c)
  local doc = c.session:get(c.m.Doc, 1)
  doc.body = "second"
  c.session:commit()
  c.committed()
  doc.body = "third"
  c.session:commit()
  c.committed()
end

scenarios["a delete that cascades"] = function(c)
  c.session:delete(c.ann)
  c.session:flush()
  c.session:add(c.m.User{name = "after"})
  c.session:commit()
  c.committed()
end

scenarios["bulk statements"] = function(c)
  c.session:execute(ag.insert(c.m.Tag), {{name = "b1"}, {name = "b2"}, {name = "b3"}})
  c.session:execute(ag.update(c.m.User), {{id = 1, name = "x1"}, {id = 2, name = "x2"}})
  c.session:execute(ag.update(c.m.Post):where(c.m.Post.title:eq("first")):values{title = "1st"})
  c.session:execute(ag.delete(c.m.Node):where(c.m.Node.name:eq("n")))
  c.session:commit()
  c.committed()
end

scenarios["savepoints"] = function(c)
  c.ann.name = "outer"
  ag.try(c.session.begin_nested, c.session, function(s)
    s:add(c.m.Tag{name = "undone"})
    s:flush()
    error("undone", 0)
  end)
  c.session:begin_nested(function(s) s:add(c.m.Tag{name = "kept"}) end)
  c.session:commit()
  c.committed()
end

scenarios["lazy loading"] = function(c)
  c.session:expire_all()
  assert(#c.ann.posts == 2 and #c.ann.posts[2].tags == 1 and c.ann.posts[1].author == c.ann)
  c.ann.posts[2].tags[1].name = "RED"
  c.session:commit()
  c.committed()
end

scenarios["eager loading"] = function(c)
  local m = c.m
  c.session:expunge_all()
  local users = c.session:scalars(ag.select(m.User):options(ag.selectinload(m.User.posts):selectinload(m.Post.tags)):order_by(m.User.id)):all()
  assert(#users == 2 and #users[1].posts == 2 and #users[1].posts[2].tags == 1)
  c.session:expunge_all()
  local posts = c.session:scalars(ag.select(m.Post):options(ag.joinedload(m.Post.author), ag.subqueryload(m.Post.tags)):order_by(m.Post.id)):all()
  assert(#posts == 2 and posts[1].author.name == "ann")
end

scenarios["a stream of objects"] = function(c)
  local n = 0
  for part in c.session:scalars(ag.select(c.m.Post):order_by(c.m.Post.id), nil, {execution_options = {yield_per = 1}}):partitions() do
    n = n + #part
    part[1].title = "seen " .. n
  end
  assert(n == 2)
  c.session:commit()
  c.committed()
end

scenarios["a rollback and another try"] = function(c)
  c.ann.name = "gone"
  c.session:flush()
  c.session:rollback()
  assert(c.ann.name == "ann")
  c.ann.name = "kept"
  c.session:commit()
  c.committed()
end

scenarios["merge, get and refresh"] = function(c)
  local copy = c.session:merge(c.m.User{id = 2, name = "merged", posts = {c.m.Post{title = "of bob"}}})
  c.session:flush()
  c.session:refresh(copy)
  assert(c.session:get_one(c.m.Tag, 1).name == "red")
  c.session:commit()
  c.committed()
end

if db.postgresql then
  options["a two-phase commit"] = {twophase = true}
  scenarios["a two-phase commit"] = function(c)
    c.ann.name = "first phase"
    c.session:prepare()
    c.session:commit()
    c.committed()
  end
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("a database that fails under a session", function()
  if db.memory then
    pending "looks at the tables by a second connection"
    return
  end

  local m, plain
  setup(function()
    m = models.new()
    m.Doc = m.Base:model("Doc", {
      __tablename = "docs", __mapper_args = {version_id_col = "version"},
      id = ag.mapped_column(ag.Integer, {primary_key = true}), version = ag.mapped_column(ag.Integer, {nullable = false}),
      body = ag.mapped_column(ag.Text),
    })
    plain = models.engine(m.Base)
  end)
  teardown(db.cleanup)

  local tables = {"post_tags", "posts", "tags", "users", "nodes", "docs"}

  local function refill()
    plain:begin(function(conn)
      for _, name in ipairs(tables) do conn:exec_driver_sql("DELETE FROM " .. name) end
      for _, sql in ipairs{"users (id, name, age) VALUES (1, 'ann', 30), (2, 'bob', 40)", "tags (id, name) VALUES (1, 'red'), (2, 'blue')",
        "posts (id, author_id, title) VALUES (1, 1, 'first'), (2, 1, 'second')", "post_tags (post_id, tag_id) VALUES (2, 1)",
        "nodes (id, name) VALUES (1, 'n')", "docs (id, version, body) VALUES (1, 1, 'one')"} do
        conn:exec_driver_sql("INSERT INTO " .. sql)
      end
      if db.postgresql then
        for _, name in ipairs{"users", "tags", "posts", "nodes", "docs"} do
          conn:exec_driver_sql(("SELECT setval(pg_get_serial_sequence('%s', 'id'), 100)"):format(name))
        end
      end
    end)
  end

  --- All that is in the tables, as text.
  local function contents()
    local conn <close> = plain:connect()
    local out = {}
    for _, name in ipairs(tables) do
      local lines = {}
      for row in conn:exec_driver_sql("SELECT * FROM " .. name):rows() do
        lines[#lines + 1] = tostring(row):gsub("id=1%d%d", "id=made") -- numbers of sequences that failed are lost
      end
      table.sort(lines)
      out[#out + 1] = name .. ": " .. table.concat(lines, "; ")
    end
    return table.concat(out, "\n")
  end

  --- What a two-phase commit left: rolled back. → number
  local function end_prepared()
    if not db.postgresql then return 0 end
    local conn <close> = plain:connect()
    local xids = conn:recover_twophase()
    conn:rollback()
    for _, xid in ipairs(xids) do
      local other <close> = plain:connect()
      other:rollback_prepared(xid, {recover = true})
    end
    return #xids
  end

  --- Play a scenario; marks: contents after 0, 1, … commits, filled when `clean`. → case, ok, error
  local function play(engine, name, marks, clean)
    local c = {m = m, session = ag.Session(engine, options[name]), commits = 0}
    function c.committed()
      c.commits = c.commits + 1
      if clean then marks[c.commits] = contents() end
    end
    local ok, e = pcall(function()
      c.ann, c.tag = c.session:get_one(m.User, 1), c.session:get_one(m.Tag, 2)
      scenarios[name](c)
    end)
    return c, ok, e
  end

  local function check_session(c, what, marks, before)
    local ok, e = pcall(c.session.rollback, c.session)
    assert(ok or c.unknown and c.session.is_active, tostring(e)) -- of two phases: the second one was done
    for _, object in ipairs(before == 0 and c.fresh or {}) do
      assert(object.id == nil or c.flushed, what .. "a failed flush left a key in a new object") -- one that was flushed keeps it
      assert.is_true(ag.inspect(object).transient, what .. "a new object is not transient")
    end
    c.session:expire_all()
    local names = c.session:scalars(ag.select(m.User.name):order_by(m.User.id)):all()
    local mark = marks:match("users: ([^\n]*)")
    for _, user in ipairs(names) do assert(mark:find(user, 1, true), what .. user .. " is not in the database") end
    if c.ann and mark:find("id=1,", 1, true) and c.session:contains(c.ann) then
      assert(mark:find(c.ann.name, 1, true), what .. "the object has another name than its row")
    end
    c.session:rollback()
  end

  local function try(name, point, k, kind, marks)
    refill()
    local engine = ag.create_engine(plain.url:set{drivername = plain.url:get_backend_name() .. "+fault"}
      :update_query_dict{fault = ("%s:%d:%s"):format(point, k, kind)}, {pool_size = 2, max_overflow = 0})
    local what = ("%s, %s %d ends in %s: "):format(name, point, k, kind)
    local c, ok, e = play(engine, name, marks, false)
    assert(ok or ag.exc.is_error(e), what .. tostring(e))
    local unknown = not ok and e.outcome_unknown
    c.unknown = unknown
    if not ok then
      local rolled, why = pcall(check_session, c, what, contents(), c.commits)
      assert(rolled, what .. "after rollback: " .. tostring(why))
    end
    local closed, why = pcall(c.session.close, c.session) -- its ROLLBACK may be the call that fails
    assert(closed or ok and ag.exc.is_error(why), what .. tostring(why))
    assert.equal(0, engine.pool:checkedout(), what .. "lent")
    engine:dispose()
    local left = end_prepared()
    local now = contents()
    local good = now == marks[c.commits] or (unknown and now == marks[c.commits + 1])
    assert(good, ("%shalf done, after %d commits (%s):\n%s\nexpected\n%s"):format(what, c.commits, tostring(e), now, marks[c.commits]))
    assert(left == 0 or not ok, what .. "a prepared transaction was left")
    return ok and closed
  end

  local total = 0
  for _, name in ipairs(sorted(scenarios)) do
    it("leaves nothing half done: " .. name, function()
      refill()
      local marks = {[0] = contents()}
      local _, fine, e = play(plain, name, marks, true)
      assert(fine, tostring(e))
      for _, point in ipairs(points) do
        for _, kind in ipairs(kinds) do
          for k = 1, MOST do
            if try(name, point, k, kind, marks) then break end
            total = total + 1
          end
        end
      end
      if os.getenv "ARGENT_SWEEP_VERBOSE" then io.stderr:write(("%s: %d points so far\n"):format(name, total)) end
      assert.is_true(total > 0)
    end)
  end
end)
