-- The unit of work: which statements a flush sends, in which order, and what it does to the objects.
local ag = require "argent"
local db = require "spec.support.db"
local expect = require "spec.support.expect"

--- Models anew for each spec, so that no mapper state is shared.
local function models()
  local Base = ag.declarative_base()
  local M = {Base = Base}
  M.links = ag.Table("post_tags", Base.metadata, {
    ag.Column("post_id", ag.Integer, ag.ForeignKey("posts.id"), {primary_key = true}),
    ag.Column("tag_id", ag.Integer, ag.ForeignKey("tags.id"), {primary_key = true}),
  })
  M.User = Base:model("User", {
    __tablename = "users",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.String(50), {nullable = false}),
    age = ag.mapped_column(ag.Integer, {default = 18}),
    posts = ag.relationship("Post", {back_populates = "author", cascade = "all, delete-orphan", order_by = "Post.id"}),
    drafts = ag.relationship("Draft", {back_populates = "owner", order_by = "Draft.id"}),
  })
  M.Post = Base:model("Post", {
    __tablename = "posts",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    title = ag.mapped_column(ag.Text),
    author_id = ag.mapped_column(ag.ForeignKey("users.id")),
    author = ag.relationship("User", {back_populates = "posts"}),
    tags = ag.relationship("Tag", {secondary = M.links, back_populates = "posts", order_by = "Tag.id"}),
  })
  M.Draft = Base:model("Draft", {
    __tablename = "drafts",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    owner_id = ag.mapped_column(ag.ForeignKey("users.id")),
    owner = ag.relationship("User", {back_populates = "drafts"}),
  })
  M.Tag = Base:model("Tag", {
    __tablename = "tags",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.String(30), {unique = true}),
    posts = ag.relationship("Post", {secondary = M.links, back_populates = "tags"}),
  })
  M.Node = Base:model("Node", {
    __tablename = "nodes",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    parent_id = ag.mapped_column(ag.ForeignKey("nodes.id")),
    name = ag.mapped_column(ag.Text),
    children = ag.relationship("Node", {back_populates = "parent", cascade = "all, delete-orphan", order_by = "Node.id"}),
    parent = ag.relationship("Node", {back_populates = "children", remote_side = "Node.id"}),
  })
  return M
end

describe("a flush", function()
  local engine, session, M, sent

  before_each(function()
    M = models()
    engine = db.engine()
    M.Base.metadata:create_all(engine)
    session = ag.Session(engine)
    sent = {}
    ag.event.listen(engine, "before_cursor_execute", function(_, _, statement)
      local head = statement:gsub("%s+", " "):match("^ ?(%u+ %u* ?[%l_]*)")
      sent[#sent + 1] = head and head:gsub(" $", "") or statement
    end)
  end)
  after_each(function()
    session:close()
    db.cleanup()
  end)

  local function flush()
    sent = {}
    session:flush()
    return sent
  end
  local function count(model)
    return session:scalar(ag.select(ag.func.count()):select_from(model))
  end

  it("inserts parents before children and copies the keys", function()
    local ann = M.User{name = "ann"}
    ann.posts:append(M.Post{title = "first"})
    ann.posts:append(M.Post{title = "second"})
    session:add(ann)
    local statements = flush()
    assert.same({"INSERT INTO users", "INSERT INTO posts"}, statements)
    assert.is_truthy(ann.id)
    assert.equal(ann.id, ann.posts[1].author_id)
    assert.equal(ann.id, ann.posts[2].author_id)
    assert.equal(0, #session.new)
    assert.same({}, flush())
  end)

  it("sends rows of one shape as one batch", function()
    for i = 1, 5 do session:add(M.User{name = "user " .. i}) end
    assert.same({"INSERT INTO users"}, flush())
    assert.equal(5, count(M.User))
  end)

  it("updates only the columns that changed", function()
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:commit()
    ann.age = 31
    local text
    ag.event.listen(engine, "before_cursor_execute", function(_, _, statement) text = statement end)
    session:flush()
    assert.is_truthy(text:find("SET age=", 1, true))
    assert.is_nil(text:find("name=", 1, true))
  end)

  it("sends nothing for a value that was set back", function()
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:flush()
    ann.age = 31
    ann.age = 30
    assert.same({}, flush())
    assert.equal(0, #session.dirty)
  end)

  it("applies scalar defaults and knows them afterwards", function()
    local ann = M.User{name = "ann"}
    session:add(ann)
    session:flush()
    sent = {}
    assert.equal(18, ann.age)
    assert.same({}, sent)
  end)

  it("writes a many-to-many row once, whichever side named it", function()
    local post, tag = M.Post{title = "p"}, M.Tag{name = "t"}
    post.tags:append(tag)
    assert.equal(post, tag.posts[1])
    session:add(post)
    local statements = flush()
    assert.equal("INSERT INTO post_tags", statements[#statements])
    assert.equal(1, session:scalar(ag.select(ag.func.count()):select_from(M.links)))
    post.tags:remove(tag)
    session:flush()
    assert.equal(0, session:scalar(ag.select(ag.func.count()):select_from(M.links)))
    assert.equal(1, count(M.Tag))
  end)

  it("deletes with cascade what belongs to the object, children first", function()
    local ann = M.User{name = "ann"}
    ann.posts:append(M.Post{title = "first"})
    ann.posts[1].tags:append(M.Tag{name = "t"})
    session:add(ann)
    session:commit()
    session:delete(ann)
    session:flush()
    assert.equal(0, count(M.User))
    assert.equal(0, count(M.Post))
    assert.equal(1, count(M.Tag))
    assert.equal(0, session:scalar(ag.select(ag.func.count()):select_from(M.links)))
  end)

  it("sets the key of children without cascade to NULL", function()
    local ann = M.User{name = "ann"}
    ann.drafts:append(M.Draft{})
    session:add(ann)
    session:commit()
    local draft = ann.drafts[1]
    session:delete(ann)
    session:commit()
    assert.equal(1, count(M.Draft))
    assert.is_nil(draft.owner_id)
  end)

  it("deletes an orphan that its parent let go of", function()
    local ann = M.User{name = "ann"}
    ann.posts:append(M.Post{title = "first"})
    ann.posts:append(M.Post{title = "second"})
    session:add(ann)
    session:commit()
    ann.posts:remove(ann.posts[1])
    session:commit()
    assert.equal(1, count(M.Post))
    assert.equal("second", ann.posts[1].title)
  end)

  it("writes a tree of one class level by level", function()
    local root = M.Node{name = "root"}
    root.children:append(M.Node{name = "a"})
    root.children:append(M.Node{name = "b"})
    root.children[1].children:append(M.Node{name = "a1"})
    session:add(root)
    session:commit()
    assert.equal(4, count(M.Node))
    local a1 = session:scalars(ag.select(M.Node):where(M.Node.name:eq("a1"))):one()
    assert.equal("root", a1.parent.parent.name)
    session:delete(root)
    session:commit()
    assert.equal(0, count(M.Node))
  end)

  it("takes an SQL expression as a value", function()
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:commit()
    ann.age = M.User.age + 5
    session:flush()
    assert.equal(35, ann.age)
  end)

  it("that fails leaves objects and sets as they were, and the session says so", function()
    local ok = M.Tag{name = "same"}
    session:add(ok)
    session:commit()
    local first, second = M.User{name = "first"}, M.Tag{name = "same"}
    session:add_all{first, second}
    expect.raises("IntegrityError", {}, session.flush, session)
    assert.is_nil(first.id)
    assert.is_nil(second.id)
    assert.is_true(ag.inspect(first).pending)
    session:rollback()
    assert.is_true(ag.inspect(first).transient)
    assert.equal(1, count(M.Tag))
  end)

  it("raises StaleDataError when a row is gone", function()
    local ann = M.User{name = "ann"}
    session:add(ann)
    session:flush()
    session:execute(ag.delete(M.User.__table))
    ann.age = 99
    expect.raises("StaleDataError", {"users"}, session.flush, session)
  end)

  it("is undone by rollback: pending again is transient, deleted is persistent, values are as before", function()
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:commit()
    local bob = M.User{name = "bob"}
    session:add(bob)
    ann.age = 31
    session:flush()
    session:rollback()
    assert.equal(30, ann.age)
    assert.is_true(ag.inspect(bob).transient)
    session:delete(ann)
    session:flush()
    session:rollback()
    assert.is_true(ag.inspect(ann).persistent)
    assert.equal(1, count(M.User))
  end)

  it("in a savepoint is undone with it", function()
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:flush()
    expect.raises("ArgumentError", {}, session.begin_nested, session, function()
      ann.age = 40
      session:flush()
      ag.select("no such thing")
    end)
    assert.equal(30, ann.age)
    session:commit()
    assert.equal(1, count(M.User))
  end)

  it("happens before a query that could see its rows, but not in no_autoflush", function()
    session:add(M.User{name = "ann"})
    assert.equal(0, session:no_autoflush(function() return count(M.User) end))
    assert.equal(1, count(M.User))
  end)

  it("calls before_insert and after_insert, which may change the object and query", function()
    local seen = {}
    ag.event.listen(M.User, "before_insert", function(_, conn, user)
      user.age = 77
      seen[#seen + 1] = "before " .. tostring(conn:scalar(ag.text "select 1"))
    end)
    ag.event.listen(M.User, "after_insert", function(_, _, user) seen[#seen + 1] = "after " .. tostring(user.id ~= nil) end)
    local ann = M.User{name = "ann"}
    session:add(ann)
    session:flush()
    assert.same({"before 1", "after true"}, seen)
    assert.equal(77, session:scalar(ag.select(M.User.age)))
  end)

  it("whose listener raises changes nothing", function()
    ag.event.listen(M.User, "before_update", function() error("no") end)
    local ann = M.User{name = "ann", age = 30}
    session:add(ann)
    session:commit()
    ann.age = 31
    assert.is_false((pcall(session.flush, session)))
    session:rollback()
    assert.equal(30, ann.age)
  end)

  it("asks default functions for values", function()
    local calls = 0
    local Base = ag.declarative_base()
    local Item = Base:model("Item", {
      __tablename = "items",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      code = ag.mapped_column(ag.Text, {default = function() calls = calls + 1; return "code " .. calls end}),
    })
    Base.metadata:create_all(engine)
    local a, b = Item{}, Item{}
    session:add_all{a, b}
    session:flush()
    assert.equal("code 1", a.code)
    assert.equal("code 2", b.code)
  end)

  it("numbers versions and notices that somebody else was faster", function()
    local Base = ag.declarative_base()
    local Doc = Base:model("Doc", {
      __tablename = "docs",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      version = ag.mapped_column(ag.Integer, {nullable = false}),
      text = ag.mapped_column(ag.Text),
      __mapper_args = {version_id_col = "version"},
    })
    Base.metadata:create_all(engine)
    local doc = Doc{text = "a"}
    session:add(doc)
    session:flush()
    assert.equal(1, doc.version)
    doc.text = "b"
    session:flush()
    assert.equal(2, doc.version)
    session:execute(ag.update(Doc.__table):values{version = 9})
    doc.text = "c"
    expect.raises("StaleDataError", {"docs"}, session.flush, session)
  end)

  it("turns a delete and an insert of one key into an update", function()
    local ann = M.User{id = 5, name = "ann"}
    session:add(ann)
    session:commit()
    session:delete(ann)
    session:add(M.User{id = 5, name = "bob"})
    session:commit()
    assert.equal("bob", session:scalar(ag.select(M.User.name)))
  end)

  it("raises for objects that need each other's keys", function()
    local Base = ag.declarative_base()
    local A = Base:model("A", {
      __tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}),
      b_id = ag.mapped_column(ag.ForeignKey("b.id", {name = "fk_b"})),
      b = ag.relationship("B", {foreign_keys = "A.b_id"}),
    })
    local B = Base:model("B", {
      __tablename = "b", id = ag.mapped_column(ag.Integer, {primary_key = true}),
      a_id = ag.mapped_column(ag.ForeignKey("a.id", {name = "fk_a", use_alter = true})),
      a = ag.relationship("A", {foreign_keys = "B.a_id"}),
    })
    local a, b = A{}, B{}
    a.b, b.a = b, a
    local other = ag.Session(engine)
    other:add(a)
    expect.raises("CircularDependencyError", {"post_update"}, other.flush, other)
    other:close()
  end)

  it("passes on the error of a listener of its statements, and goes on", function()
    local refusing = true
    local function refuse()
      if refusing then ag.select("not now") end
    end
    ag.event.listen(engine, "before_cursor_execute", refuse)
    session:add(M.User{name = "ann"})
    for _ = 1, 3 do
      local ok, e = pcall(session.flush, session)
      assert.is_false(ok)
      assert.matches("ag.select: expected a column", e.message)
      session:rollback()
      session:add(M.User{name = "ann"})
    end
    refusing = false
    session:flush()
    ag.event.remove(engine, "before_cursor_execute", refuse)
    assert.equal(1, session:scalar(ag.select(ag.func.count(M.User.id))))
  end)
end)
