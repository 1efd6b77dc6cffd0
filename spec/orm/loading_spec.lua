local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("loading", function()
  local m, User, Post, Tag, Node, engine, session, sent
  before_each(function()
    m = models.new()
    User, Post, Tag, Node = m.User, m.Post, m.Tag, m.Node
    engine = models.engine(m.Base)
    models.fill(m, engine)
    session = ag.Session(engine)
    sent = models.statements(engine)
  end)
  after_each(function()
    session:close()
    db.cleanup()
  end)

  local function names(list, key)
    local out = {}
    for i, item in ipairs(list) do out[i] = item[key or "name"] end
    return out
  end
  local function count(f) return #(models.sent(sent, f)) end

  describe("of statements", function()
    it("with one class", function()
      local users = session:scalars(ag.select(User):order_by(User.name)):all()
      assert.same({"ann", "bob"}, names(users))
      for user in session:scalars(ag.select(User)):rows() do assert.truthy(user.name) end
      assert.equal("ann", session:scalars(ag.select(User):where(User.id:eq(1))):one().name)
      assert.is_nil(session:scalars(ag.select(User):where(User.id:eq(99))):one_or_none())
      assert.equal("bob", session:scalar(ag.select(User):where(User.id:eq(2))).name)
    end)

    it("with classes and columns", function()
      local rows = session:execute(ag.select(User, Post.title, Post):join(User.posts):order_by(Post.id)):all()
      assert.equal(2, #rows)
      assert.equal("ann", rows[1].User.name)
      assert.equal("first", rows[1].title)
      assert.equal("first", rows[1].Post.title)
      assert.equal(rows[1].User, rows[2][1])
      assert.equal(3, #rows[1])
      for _, user, title in session:execute(ag.select(User, Post.title):join(User.posts)):tuples() do
        assert.equal("ann", user.name)
        assert.truthy(title)
      end
    end)

    it("with plain columns only, as rows", function()
      local row = session:execute(ag.select(User.name, User.age):where(User.id:eq(1))):one()
      assert.equal("ann", row.name)
      assert.equal(30, row.age)
    end)

    it("with outer joins: nil where there is no object", function()
      local rows = session:execute(ag.select(User, Post):outerjoin(User.posts):order_by(User.id, Post.id)):all()
      assert.equal(3, #rows)
      assert.is_nil(rows[3].Post)
      assert.is_nil(rows[3][2])
    end)

    it("with aliases", function()
      local other = ag.aliased(User)
      local rows = session:execute(ag.select(User, other):join(other, other.id:gt(User.id))):all()
      assert.equal(1, #rows)
      assert.equal("ann", rows[1][1].name)
      assert.equal("bob", rows[1][2].name)
      local sub = ag.select(User):where(User.age:gt(35)):subquery()
      local old = ag.aliased(User, sub)
      assert.same({"bob"}, names(session:scalars(ag.select(old)):all()))
    end)

    it("that add columns afterwards", function()
      local row = session:execute(ag.select(User):add_columns(Post):join(User.posts):where(Post.title:eq("first"))):one()
      assert.equal("ann", row.User.name)
      assert.equal("first", row.Post.title)
      local only = session:execute(ag.select(User):with_only_columns(User.name):order_by(User.id)):scalars():all()
      assert.same({"ann", "bob"}, only)
    end)

    it("without reading objects twice", function()
      local ann = session:get(User, 1)
      ann.name = "anna"
      local again = session:no_autoflush(function() return session:scalars(ag.select(User):where(User.id:eq(1))):one() end)
      assert.equal(ann, again)
      assert.equal("anna", ann.name)
    end)
  end)

  describe("on access", function()
    it("loads collections and links once", function()
      local ann = session:get(User, 1)
      assert.equal(1, count(function() assert.equal(2, #ann.posts) end))
      assert.equal(0, count(function() return ann.posts[1].author, #ann.posts end))
      assert.equal(1, count(function() assert.same({"red", "blue"}, names(ann.posts[2].tags)) end))
    end)

    it("takes many-to-one from the session without SQL", function()
      local post = session:get(Post, 1)
      assert.equal(1, count(function() return post.author end))
      local second = session:get(Post, 2)
      assert.equal(0, count(function() assert.equal(post.author, second.author) end))
      local orphan = Post{title = "none"}
      session:add(orphan)
      session:flush()
      assert.equal(0, count(function() assert.is_nil(orphan.author) end))
    end)

    it("works within one class", function()
      local root = Node{name = "root"}
      root.children = {Node{name = "a"}, Node{name = "b"}}
      session:add(root)
      session:commit()
      local id = root.id
      session:expunge_all()
      local node = session:get(Node, id)
      assert.same({"a", "b"}, names(node.children))
      assert.equal(node, node.children[1].parent)
      assert.equal(0, #node.children[1].children)
    end)

    it("sees pending changes", function()
      local ann = session:get(User, 1)
      Post{title = "third", author = ann}
      assert.equal(3, #session:get(User, 1).posts)
      session:expire(ann)
      session:add(Post{title = "fourth", author_id = 1})
      assert.equal(3, #ann.posts)
    end)

    it("adds what was queued while the collection was not loaded", function()
      local bob = session:get(User, 2)
      session:no_autoflush(function()
        local post = Post{title = "x"}
        session:add(post)
        assert.equal(0, count(function() post.author = bob end))
        assert.equal(1, #bob.posts)
        assert.equal(post, bob.posts[1])
      end)
      session:commit()
      assert.equal(1, #bob.posts)
    end)

    it("loads before a whole assignment, so that orphans are known", function()
      local ann = session:get(User, 1)
      ann.posts = {}
      session:commit()
      assert.equal(0, session:scalar(ag.select(ag.func.count()):select_from(Post)))
    end)
  end)

  describe("eagerly", function()
    it("selectinload: one statement for each relationship", function()
      local users
      assert.equal(3, count(function()
        users = session:scalars(ag.select(User):order_by(User.id):options(ag.selectinload(User.posts):selectinload(Post.tags))):all()
      end))
      assert.equal(0, count(function()
        assert.equal(2, #users[1].posts)
        assert.same({"red", "blue"}, names(users[1].posts[2].tags))
        assert.equal(0, #users[2].posts)
        assert.equal(users[1], users[1].posts[1].author)
      end))
    end)

    it("selectinload of many-to-one", function()
      local posts
      assert.equal(2, count(function()
        posts = session:scalars(ag.select(Post):order_by(Post.id):options(ag.selectinload(Post.author))):all()
      end))
      assert.equal(0, count(function() assert.equal("ann", posts[2].author.name) end))
    end)

    it("joinedload: one statement, and unique() for collections", function()
      local stmt = ag.select(User):order_by(User.name):options(ag.joinedload(User.posts):joinedload(Post.tags))
      raises("InvalidRequestError", "unique()", function() session:scalars(stmt):all() end)
      session:expunge_all()
      local users
      assert.equal(1, count(function() users = session:scalars(stmt):unique():all() end))
      assert.same({"ann", "bob"}, names(users))
      assert.equal(0, count(function()
        assert.same({"first", "second"}, names(users[1].posts, "title"))
        assert.same({"red", "blue"}, names(users[1].posts[2].tags))
        assert.equal(0, #users[2].posts)
      end))
    end)

    it("joinedload of many-to-one needs no unique()", function()
      local posts
      assert.equal(1, count(function()
        posts = session:scalars(ag.select(Post):order_by(Post.id):options(ag.joinedload(Post.author))):all()
      end))
      assert.equal(0, count(function() assert.equal("ann", posts[1].author.name) end))
      assert.truthy(models.sent(sent, function()
        session:scalars(ag.select(Post):options(ag.joinedload(Post.author, {innerjoin = true}))):all()
      end)[1]:find(" JOIN users", 1, true))
    end)

    it("joinedload with LIMIT counts objects, not rows", function()
      local users, list
      list, users = models.sent(sent, function()
        return session:scalars(ag.select(User):order_by(User.age:desc(), ag.func.lower(User.name)):limit(2)
          :options(ag.joinedload(User.posts))):unique():all()
      end)
      assert.equal(1, #list)
      assert.truthy(list[1]:find("FROM (SELECT", 1, true))
      assert.same({"bob", "ann"}, names(users))
      assert.equal(2, #users[2].posts)
      session:expunge_all()
      local one = session:scalars(ag.select(User):order_by(User.id):limit(1):options(ag.joinedload(User.posts))):unique():all()
      assert.equal(1, #one)
      assert.equal(2, #one[1].posts)
    end)

    it("contains_eager fills from an explicit join", function()
      local users
      assert.equal(1, count(function()
        users = session:scalars(ag.select(User):join(User.posts):where(Post.title:eq("second"))
          :options(ag.contains_eager(User.posts))):unique():all()
      end))
      assert.equal(0, count(function() assert.same({"second"}, names(users[1].posts, "title")) end))
    end)

    it("strategies of the relationship itself", function()
      for _, lazy in ipairs{"selectin", "joined", "immediate"} do
        local e = models.new{["User.posts"] = {lazy = lazy}}
        local users
        local n = count(function()
          users = session:scalars(ag.select(e.User):order_by(e.User.id)):unique():all()
        end)
        assert.equal(lazy == "joined" and 1 or 2, n)
        assert.equal(0, count(function() assert.equal(2, #users[1].posts) end))
      end
    end)

    it("what the session has already is filled in", function()
      local ann = session:get(User, 1)
      assert.equal(2, count(function()
        session:scalars(ag.select(User):options(ag.selectinload(User.posts))):all()
      end))
      assert.equal(0, count(function() assert.equal(2, #ann.posts) end))
    end)

    it("with criteria", function()
      local users = session:scalars(ag.select(User):order_by(User.id)
        :options(ag.selectinload(User.posts:and_(Post.title:eq("first"))))):all()
      assert.same({"first"}, names(users[1].posts, "title"))
      session:expunge_all()
      local stmt = ag.select(Post):options(ag.with_loader_criteria(Post, Post.title:ne("first")))
      assert.same({"second"}, names(session:scalars(stmt):all(), "title"))
    end)
  end)

  describe("columns", function()
    it("load_only and defer leave columns for later", function()
      local ann = session:scalars(ag.select(User):options(ag.load_only(User.name)):where(User.id:eq(1))):one()
      assert.equal("ann", ann.name)
      assert.equal(1, count(function() assert.equal(30, ann.age) end))
      session:expunge_all()
      local list
      list, ann = models.sent(sent, function()
        return session:scalars(ag.select(User):options(ag.defer(User.age)):where(User.id:eq(1))):one()
      end)
      assert.falsy(list[1]:find("age", 1, true))
      assert.equal(30, ann.age)
      raises("ArgumentError", {"'nmae'", "User"}, function()
        session:scalars(ag.select(User):options(ag.load_only("nmae"))):all()
      end)
    end)

    it("deferred columns and their groups", function()
      local Base = ag.declarative_base()
      local Doc = Base:model("Doc", {__tablename = "docs", id = ag.mapped_column(ag.Integer, {primary_key = true}),
        a = ag.mapped_column(ag.Text, {deferred_group = "big"}), b = ag.mapped_column(ag.Text, {deferred_group = "big"}),
        c = ag.mapped_column(ag.Text, {deferred = true}), d = ag.mapped_column(ag.Text, {deferred = true, deferred_raiseload = true})})
      Base.metadata:create_all(engine)
      session:add(Doc{a = "a", b = "b", c = "c", d = "d"})
      session:commit()
      session:expunge_all()
      local doc = session:scalars(ag.select(Doc)):one()
      assert.equal(1, count(function() return doc.a, doc.b end))
      assert.equal(1, count(function() return doc.c end))
      raises("InvalidRequestError", "raiseload", function() return doc.d end)
      session:expunge_all()
      doc = session:scalars(ag.select(Doc):options(ag.undefer(Doc.c), ag.undefer_group("big"))):one()
      assert.equal(0, count(function() return doc.a, doc.c end))
    end)

    it("column_property comes with the object", function()
      local Base = ag.declarative_base()
      local P = Base:model("P", {__tablename = "ps", id = ag.mapped_column(ag.Integer, {primary_key = true}),
        a = ag.mapped_column(ag.Integer), twice = ag.column_property(function(cls) return cls.a * 2 end)})
      Base.metadata:create_all(engine)
      local p = P{a = 4}
      session:add(p)
      session:commit()
      assert.equal(8, p.twice)
      session:expunge_all()
      p = session:scalars(ag.select(P):where(P.twice:eq(8))):one()
      assert.equal(8, p.twice)
    end)
  end)

  describe("forbidden", function()
    it("by raiseload and lazy = 'raise'", function()
      local ann = session:scalars(ag.select(User):options(ag.raiseload(User.posts)):where(User.id:eq(1))):one()
      raises("InvalidRequestError", "'User.posts' is not available due to lazy='raise'", function() return ann.posts end)
      local e = models.new{["User.posts"] = {lazy = "raise"}}
      local bob = session:get(e.User, 2)
      raises("InvalidRequestError", "lazy='raise'", function() return bob.posts end)
      local post = session:scalars(ag.select(Post):options(ag.raiseload(Post.author, {sql_only = true})):where(Post.id:eq(1))):one()
      assert.equal(ann, post.author)
      session:expunge_all()
      post = session:scalars(ag.select(Post):options(ag.raiseload("*")):where(Post.id:eq(1))):one()
      raises("InvalidRequestError", "Post.author", function() return post.author end)
    end)

    it("or nothing at all with noload", function()
      local ann = session:scalars(ag.select(User):options(ag.noload(User.posts)):where(User.id:eq(1))):one()
      assert.equal(0, count(function() assert.equal(0, #ann.posts) end))
    end)
  end)

  it("options refuse what is no option", function()
    raises("ArgumentError", "expected a loader option", function() ag.select(User):options("posts") end)
    raises("ArgumentError", "expected a relationship", function() ag.selectinload(User.name) end)
    raises("ArgumentError", "did you mean 'innerjoin'", function() ag.joinedload(User.posts, {innerjon = true}) end)
  end)

  it("sub-objects with get and options", function()
    local ann = session:get(User, 1, {options = {ag.selectinload(User.posts)}})
    assert.equal(0, count(function() assert.equal(2, #ann.posts) end))
    assert.is_nil(session:get(User, 99, {populate_existing = true}))
  end)

  it("many objects in few statements", function()
    session:execute(ag.insert(User), (function()
      local rows = {}
      for i = 1, 1500 do rows[i] = {id = i + 10, name = "u" .. i} end
      return rows
    end)())
    session:execute(ag.insert(Post), (function()
      local rows = {}
      for i = 1, 1500 do rows[i] = {id = i + 10, author_id = i + 10, title = "p" .. i} end
      return rows
    end)())
    local users
    assert.equal(2, count(function() users = session:scalars(ag.select(User):options(ag.selectinload(User.posts))):all() end))
    assert.equal(1502, #users)
    local total = 0
    for _, user in ipairs(users) do total = total + #user.posts end
    assert.equal(1502, total)
  end)

  it("to_table gives plain tables", function()
    local ann = session:get(User, 1)
    assert.same({id = 1, name = "ann", age = 30}, ag.to_table(ann))
    local _ = Tag
  end)
end)
