local ag = require "argent"
local db = require "spec.support.db"

--- SQL of what conn executes while f runs.
local function statements(engine, f)
  local list = {}
  local function listener(_, _, statement) list[#list + 1] = (statement:gsub("%s+", " "):gsub("^ ", "")) end
  ag.event.listen(engine, "before_cursor_execute", listener)
  local ok, e = pcall(f)
  ag.event.remove(engine, "before_cursor_execute", listener)
  if not ok then error(e, 0) end
  return list
end

--- Those that begin with one of the words.
local function ddl(list)
  local out = {}
  for _, s in ipairs(list) do
    local word = s:match("^(%u+ %u+ ?%u*)")
    if s:match("^CREATE") or s:match("^DROP") or s:match("^ALTER") or s:match("^COMMENT") then
      out[#out + 1] = word and s:sub(1, 60) or s
    end
  end
  return out
end

describe("create_all", function()
  local engine, metadata
  before_each(function()
    engine, metadata = db.engine(), ag.MetaData()
  end)
  after_each(db.cleanup)

  local function declare()
    ag.Table("posts", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("user_id", ag.ForeignKey("users.id", {ondelete = "CASCADE"}), {nullable = false, index = true}),
      ag.Column("title", ag.String(50), {server_default = "none"}),
    })
    ag.Table("users", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("name", ag.String(30), {unique = true}),
      ag.Column("age", ag.Integer),
      ag.CheckConstraint("age >= 0", {name = "age_positive"}),
      comment = "people",
    })
  end

  it("creates tables in the order of their dependencies, with their indexes", function()
    declare()
    local list = ddl(statements(engine, function() metadata:create_all(engine) end))
    assert.matches("^CREATE TABLE users", list[1])
    local posts = 0
    for i, s in ipairs(list) do
      if s:match("^CREATE TABLE posts") then posts = i end
    end
    assert.is_true(posts > 1)
    assert.matches("^CREATE INDEX ix_posts_user_id ON posts", list[#list])
    engine:begin(function(conn)
      conn:execute(ag.insert(metadata.tables.users):values{name = "ann", age = 5})
      conn:execute(ag.insert(metadata.tables.posts):values{user_id = 1})
      assert.equal("none", conn:scalar(ag.select(metadata.tables.posts.c.title)))
    end)
    local ok, e = pcall(engine.begin, engine, function(conn)
      conn:execute(ag.insert(metadata.tables.users):values{name = "bob", age = -5})
    end)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.IntegrityError))
  end)

  it("leaves what is there alone", function()
    declare()
    metadata:create_all(engine)
    assert.same({}, ddl(statements(engine, function() metadata:create_all(engine) end)))
    metadata.tables.posts:drop(engine)
    local list = ddl(statements(engine, function() metadata:create_all(engine) end))
    assert.matches("^CREATE TABLE posts", list[1])
    local ok = pcall(metadata.create_all, metadata, engine, {checkfirst = false})
    assert.is_false(ok)
  end)

  it("takes some of the tables", function()
    declare()
    metadata:create_all(engine, {tables = {metadata.tables.users}})
    metadata.tables.users:create(engine, {checkfirst = true})
    metadata.tables.posts:create(engine)
    assert.same({}, ddl(statements(engine, function() metadata:create_all(engine) end)))
  end)

  it("works on a connection, in its transaction", function()
    declare()
    local conn <close> = engine:connect()
    metadata:create_all(conn)
    conn:rollback()
    local list = ddl(statements(engine, function() metadata:create_all(conn) end))
    assert.matches("^CREATE TABLE users", list[1])
    conn:commit()
  end)

  it("drop_all drops in the opposite order what is there", function()
    declare()
    metadata:create_all(engine)
    local list = ddl(statements(engine, function() metadata:drop_all(engine) end))
    assert.same({"DROP TABLE posts", "DROP TABLE users"}, list)
    assert.same({}, ddl(statements(engine, function() metadata:drop_all(engine) end)))
  end)

  it("breaks cycles", function()
    local C, I = ag.Column, ag.Integer
    ag.Table("a", metadata, {C("id", I, {primary_key = true}), C("b_id", ag.ForeignKey("b.id", {name = "fk_a_b"}))})
    ag.Table("b", metadata, {C("id", I, {primary_key = true}), C("a_id", ag.ForeignKey("a.id", {name = "fk_b_a"}))})
    local list = ddl(statements(engine, function() metadata:create_all(engine) end))
    assert.equal(db.postgresql and 4 or 2, #list)
    if db.postgresql then assert.matches("^ALTER TABLE a ADD CONSTRAINT fk_a_b", list[3]) end
    metadata:drop_all(engine)
  end)

  it("says which foreign key needs a name to be dropped", function()
    if not db.postgresql then return pending("SQLite drops tables of a cycle without ALTER") end
    local C, I = ag.Column, ag.Integer
    ag.Table("a", metadata, {C("id", I, {primary_key = true}), C("b_id", ag.ForeignKey("b.id"))})
    ag.Table("b", metadata, {C("id", I, {primary_key = true}), C("a_id", ag.ForeignKey("a.id"))})
    metadata:create_all(engine)
    local ok, e = pcall(metadata.drop_all, metadata, engine)
    assert.is_false(ok)
    assert.is_true(e:is(ag.exc.CircularDependencyError))
    assert.matches("needs a name", e.message)
  end)

  it("creates the types of Enum columns first, and drops them last", function()
    local t = ag.Table("t", metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}),
      ag.Column("color", ag.Enum({"red", "green"}, {name = "color"})),
      ag.Column("other", ag.Enum({"red", "green"}, {name = "color"})),
    })
    metadata:create_all(engine)
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{color = "red"})
      assert.equal("red", conn:scalar(ag.select(t.c.color)))
    end)
    local list = ddl(statements(engine, function() metadata:drop_all(engine) end))
    assert.equal(db.postgresql and "DROP TYPE color" or "DROP TABLE t", list[#list])
  end)

  it("creates sequences where there are any", function()
    local seq = ag.Sequence("order_no", {start = 1000, metadata = metadata})
    local t = ag.Table("t", metadata, {ag.Column("id", ag.Integer, seq, {primary_key = true}), ag.Column("x", ag.Integer)})
    metadata:create_all(engine)
    engine:begin(function(conn)
      conn:execute(ag.insert(t):values{x = 1})
      assert.equal(db.postgresql and 1000 or 1, conn:scalar(ag.select(t.c.id)))
    end)
    metadata:drop_all(engine)
  end)

  it("tells listeners", function()
    declare()
    local log = {}
    local users = metadata.tables.users
    ag.event.listen(metadata, "before_create", function(m, conn, info)
      log[#log + 1] = "metadata " .. #info.tables
      assert.equal(metadata, m)
      assert.is_false(conn.closed)
    end)
    ag.event.listen(users, "after_create", function(t) log[#log + 1] = "after " .. t.name end)
    ag.event.listen(users, "after_create", ag.DDL("CREATE VIEW v AS SELECT * FROM %(table)s"):execute_if{dialect = db.dialect})
    ag.event.listen(users, "after_create", ag.DDL("CREATE INDEX %(table)s_by_id ON %(fullname)s (id) -- 100%%")) -- unquoted, as a part of a name
    ag.event.listen(users, "after_create", ag.DDL("nonsense"):execute_if{dialect = "oracle"})
    metadata:create_all(engine)
    assert.same({"metadata 2", "after users"}, log)
    engine:begin(function(conn)
      assert.equal(0, conn:scalar(ag.text("SELECT count(*) FROM v")))
      conn:execute(ag.DDL("DROP VIEW v"))
      local names = {}
      for _, index in ipairs(ag.inspect(conn):get_indexes("users")) do names[index.name] = true end
      assert.is_true(names.users_by_id)
    end)
  end)

  it("creates and drops single indexes", function()
    declare()
    metadata:create_all(engine)
    local ix = ag.Index("ix_age", metadata.tables.users.c.age:desc())
    ix:create(engine, {checkfirst = true})
    ix:create(engine, {checkfirst = true})
    ix:drop(engine)
    ix:drop(engine, {checkfirst = true})
  end)

  it("refuses what is no database", function()
    for _, bad in ipairs{{}, "sqlite://", 5} do
      local ok, e = pcall(metadata.create_all, metadata, bad)
      assert.is_false(ok)
      assert.matches("expected an Engine or a Connection", tostring(e))
    end
    assert.is_false(pcall(metadata.create_all, metadata))
    assert.is_false(pcall(metadata.create_all, metadata, engine, {table = {}}))
    assert.is_false(pcall(metadata.create_all, metadata, engine, {tables = {"users"}}))
  end)
end)
