local ag = require "argent"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("relationships in memory", function()
  local m, User, Post, Tag, Node
  before_each(function()
    m = models.new()
    User, Post, Tag, Node = m.User, m.Post, m.Tag, m.Node
  end)

  it("keep both sides in step before any flush", function()
    local ann, post = User{name = "ann"}, Post{title = "first"}
    ann.posts:append(post)
    assert.equal(ann, post.author)
    assert.equal(1, #ann.posts)
    assert.equal(post, ann.posts[1])
    local bob = User{name = "bob"}
    post.author = bob
    assert.equal(0, #ann.posts)
    assert.equal(post, bob.posts[1])
    post.author = nil
    assert.equal(0, #bob.posts)
    assert.is_nil(post.author)
  end)

  it("keep many-to-many sides in step", function()
    local post, red, blue = Post{title = "x"}, Tag{name = "red"}, Tag{name = "blue"}
    post.tags = {red, blue}
    assert.equal(post, red.posts[1])
    blue.posts:remove(post)
    assert.equal(1, #post.tags)
    assert.is_true(post.tags:contains(red))
    assert.is_false(post.tags:contains(blue))
  end)

  it("work inside one class", function()
    local root, leaf = Node{name = "root"}, Node{name = "leaf"}
    leaf.parent = root
    assert.equal(leaf, root.children[1])
    root.children = {}
    assert.is_nil(leaf.parent)
  end)

  describe("collections", function()
    it("append, insert, remove, pop, contain, clear, iterate", function()
      local ann = User{}
      local a, b, c = Post{title = "a"}, Post{title = "b"}, Post{title = "c"}
      local posts = ann.posts
      posts:append(a)
      posts:append(c)
      posts:insert(2, b)
      local titles = {}
      for i, post in ipairs(posts) do titles[i] = post.title end
      assert.same({"a", "b", "c"}, titles)
      titles = {}
      for post in posts:each() do titles[#titles + 1] = post.title end
      assert.same({"a", "b", "c"}, titles)
      assert.equal(2, posts:index(b))
      assert.equal(c, posts:pop())
      assert.is_nil(c.author)
      posts:remove(a)
      assert.equal(b, posts[1])
      assert.is_nil(posts[2])
      posts[1] = c
      assert.equal(ann, c.author)
      assert.is_nil(b.author)
      posts:extend{a, b}
      assert.equal(3, #posts)
      posts:clear()
      assert.equal(0, #posts)
      assert.is_nil(a.author)
    end)

    it("are replaced by whole arrays and by other collections", function()
      local ann, bob = User{}, User{}
      local a, b, c = Post{}, Post{}, Post{}
      ann.posts = {a, b}
      ann.posts = {b, c}
      assert.is_nil(a.author)
      assert.equal(ann, c.author)
      bob.posts = ann.posts
      assert.equal(2, #bob.posts)
      assert.equal(bob, b.author)
      assert.equal(0, #ann.posts)
    end)

    it("refuse what is no member", function()
      local ann = User{}
      raises("ArgumentError", "User.posts takes objects of class Post, not a table", function() ann.posts:append{} end)
      raises("ArgumentError", "not User", function() ann.posts:append(User{}) end)
      raises("ArgumentError", "an array of objects", function() ann.posts = 5 end)
      raises("ArgumentError", "an array of objects", function() ann.posts = nil end)
      raises("ArgumentError", "does not contain", function() ann.posts:remove(Post{}) end)
      raises("ArgumentError", "has no attribute", function() return ann.posts.lenght end)
      raises("ArgumentError", "argument", function() ann.posts:insert(9, Post{}) end)
      raises("ArgumentError", "Post.author takes objects of class User", function() Post{}.author = 5 end)
    end)
  end)

  it("know their direction and the other side", function()
    local r = ag.inspect(User).relationships
    assert.equal("ONETOMANY", r.posts.direction)
    assert.is_true(r.posts.uselist)
    assert.equal(Post, r.posts.target)
    assert.equal("MANYTOONE", ag.inspect(Post).relationships.author.direction)
    assert.equal("MANYTOMANY", ag.inspect(Post).relationships.tags.direction)
    assert.equal("ONETOMANY", ag.inspect(Node).relationships.children.direction)
    assert.equal("MANYTOONE", ag.inspect(Node).relationships.parent.direction)
  end)

  it("are garbage when nothing else holds them", function()
    local weak = setmetatable({}, {__mode = "v"})
    do
      local ann = User{}
      ann.posts = {Post{}, Post{}}
      weak[1], weak[2] = ann, ann.posts[1]
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    assert.is_nil(weak[2])
  end)
end)

describe("relationship configuration", function()
  local Base
  before_each(function() Base = ag.declarative_base() end)
  local function id() return ag.mapped_column(ag.Integer, {primary_key = true}) end
  local function fk(target) return ag.mapped_column(ag.ForeignKey(target)) end

  it("backref makes the other side", function()
    local A = Base:model("A", {__tablename = "a", id = id(), bs = ag.relationship("B", {backref = "a"})})
    local B = Base:model("B", {__tablename = "b", id = id(), a_id = fk("a.id")})
    local a, b = A{}, B{}
    b.a = a
    assert.equal(b, a.bs[1])
  end)

  it("backref of a tree needs no remote_side twice", function()
    local N = Base:model("N", {__tablename = "n", id = id(), parent_id = fk("n.id"), children = ag.relationship("N",
      {backref = ag.backref("parent", {remote_side = "N.id"})})})
    local root, leaf = N{}, N{}
    root.children:append(leaf)
    assert.equal(root, leaf.parent)
  end)

  it("one-to-one with uselist = false", function()
    local A = Base:model("A", {__tablename = "a", id = id(), b = ag.relationship("B", {uselist = false, back_populates = "a"})})
    local B = Base:model("B", {__tablename = "b", id = id(), a_id = fk("a.id"), a = ag.relationship("A", {back_populates = "b"})})
    local a, b, c = A{}, B{}, B{}
    a.b = b
    assert.equal(a, b.a)
    c.a = a
    assert.equal(c, a.b)
    assert.is_nil(b.a)
  end)

  it("several foreign keys need foreign_keys", function()
    local function classes(options)
      local base = ag.declarative_base()
      base:model("A", {__tablename = "a", id = id()})
      return base:model("B", {__tablename = "b", id = id(), one_id = fk("a.id"), two_id = fk("a.id"),
        one = ag.relationship("A", options.one), two = ag.relationship("A", options.two)})
    end
    raises("AmbiguousForeignKeysError", {"B.one", "foreign_keys"}, function() return classes{}{} end)
    local B = classes{one = {foreign_keys = "B.one_id"}, two = {foreign_keys = "B.two_id"}}
    assert.equal("MANYTOONE", ag.inspect(B).relationships.two.direction)
  end)

  it("conditions may be texts of comparisons", function()
    local A = Base:model("A", {__tablename = "a", id = id(),
      live = ag.relationship("B", {primaryjoin = "A.id:eq(B.a_id) & B.dead:eq(false)", viewonly = true}),
      some = ag.relationship("B", {primaryjoin = "A.id == foreign(B.a_id)", viewonly = true, order_by = "[B.dead, B.id:desc()]"})})
    Base:model("B", {__tablename = "b", id = id(), a_id = fk("a.id"), dead = ag.mapped_column(ag.Boolean)})
    assert.truthy(tostring(ag.select(A.id):join(A.live)):find("b.dead", 1, true))
    assert.equal("ONETOMANY", ag.inspect(A).relationships.some.direction)
  end)

  it("names are checked at first use, with hints", function()
    local A = Base:model("A", {__tablename = "a", id = id(), bs = ag.relationship("Bee")})
    Base:model("Been", {__tablename = "b", id = id(), a_id = fk("a.id")})
    raises("InvalidRequestError", {"relationship A.bs", "'Bee'", "did you mean 'Been'"}, function() A{} end)
    raises("InvalidRequestError", "failed to initialize", function() A{} end)
  end)

  it("errors name the relationship and the way out", function()
    local function one(definition, other)
      local base = ag.declarative_base()
      definition.__tablename, definition.id = "a", id()
      local A = base:model("A", definition)
      other.__tablename, other.id = "b", id()
      base:model("B", other)
      return function() A{} end
    end
    raises("NoForeignKeysError", "A.bs", one({bs = ag.relationship("B")}, {}))
    raises("InvalidRequestError", {"back_populates", "'as'"},
      one({bs = ag.relationship("B", {back_populates = "as"})}, {a_id = fk("a.id")}))
    raises("ArgumentError", "same direction", one({bs = ag.relationship("B", {back_populates = "a"})},
      {a_id = fk("a.id"), a = ag.relationship("A", {back_populates = "bs", primaryjoin = "A.id:eq(B.a_id)", remote_side = "A.id",
        foreign_keys = "A.id"})}))
    raises("ArgumentError", "cascade", one({bs = ag.relationship("B", {cascade = "everything"})}, {a_id = fk("a.id")}))
    raises("ArgumentError", "delete-orphan", one({bs = ag.relationship("B", {cascade = "delete-orphan"})}, {a_id = fk("a.id")}))
    raises("ArgumentError", "single_parent", one({b_id = fk("b.id"), b = ag.relationship("B", {cascade = "all, delete-orphan"})}, {}))
    raises("ArgumentError", "did you mean 'selectin'", one({bs = ag.relationship("B", {lazy = "selctin"})}, {a_id = fk("a.id")}))
    raises("InvalidRequestError", "there is no table", one({bs = ag.relationship("B", {secondary = "ab"})}, {}))
  end)
end)

describe("relationships in SQL", function()
  local m, User, Post, Tag, Node
  before_each(function()
    m = models.new()
    User, Post, Tag, Node = m.User, m.Post, m.Tag, m.Node
  end)
  local function sql(stmt) return (tostring(stmt):gsub("^.- FROM ", "")) end

  it("join", function()
    assert.equal("users JOIN posts ON users.id = posts.author_id", sql(ag.select(User):join(User.posts)))
    assert.equal("users LEFT OUTER JOIN posts ON users.id = posts.author_id", sql(ag.select(User):outerjoin(User.posts)))
    assert.equal("posts JOIN post_tags ON posts.id = post_tags.post_id JOIN tags ON tags.id = post_tags.tag_id",
      sql(ag.select(Post):join(Post.tags)))
    assert.equal("users JOIN posts ON users.id = posts.author_id JOIN post_tags ON posts.id = post_tags.post_id JOIN tags ON "
      .. "tags.id = post_tags.tag_id", sql(ag.select(User):join(User.posts):join(Post.tags)))
    local other = ag.aliased(Post)
    assert.equal("users JOIN posts AS posts_1 ON users.id = posts_1.author_id", sql(ag.select(User):join(other, User.posts)))
    assert.equal("users JOIN posts AS posts_1 ON users.id = posts_1.author_id",
      sql(ag.select(User):join(User.posts:of_type(other))))
    local boss = ag.aliased(Node)
    assert.equal("nodes JOIN nodes AS nodes_1 ON nodes_1.id = nodes.parent_id", sql(ag.select(Node):join(Node.parent:of_type(boss))))
  end)

  it("any, has, contains, eq", function()
    assert.equal("users WHERE EXISTS (SELECT 1 FROM posts WHERE users.id = posts.author_id AND posts.title = :title_1)",
      sql(ag.select(User):where(User.posts:any(Post.title:eq("x")))))
    assert.equal("users WHERE NOT (EXISTS (SELECT 1 FROM posts WHERE users.id = posts.author_id))",
      sql(ag.select(User):where(~User.posts:any())))
    assert.equal("posts WHERE EXISTS (SELECT 1 FROM users WHERE users.id = posts.author_id AND users.name = :name_1)",
      sql(ag.select(Post):where(Post.author:has{name = "ann"})))
    assert.equal("posts WHERE EXISTS (SELECT 1 FROM post_tags, tags WHERE posts.id = post_tags.post_id AND tags.id = post_tags.tag_id "
      .. "AND tags.name = :name_1)", sql(ag.select(Post):where(Post.tags:any(Tag.name:eq("red")))))
    assert.equal("posts WHERE posts.author_id IS NULL", sql(ag.select(Post):where(Post.author:eq(ag.null))))
    assert.equal("posts WHERE posts.author_id IS NULL", sql(ag.select(Post):where(Post.author:is_(nil))))
    assert.equal("posts WHERE posts.author_id = :author_id_1", sql(ag.select(Post):where(Post.author:eq(User{id = 5}))))
    assert.equal("users WHERE users.id = :id_1", sql(ag.select(User):where(User.posts:contains(Post{author_id = 5}))))
    assert.equal("nodes WHERE EXISTS (SELECT 1 FROM nodes AS nodes_1 WHERE nodes.id = nodes_1.parent_id AND nodes_1.name = :name_1)",
      sql(ag.select(Node):where(Node.children:any(Node.name:eq("x")))))
    raises("InvalidRequestError", "Use has()", function() Post.author:any() end)
    raises("InvalidRequestError", "Use any()", function() User.posts:has() end)
    raises("ArgumentError", "expected an object of class Post", function() User.posts:contains(User{}) end)
    raises("ArgumentError", "argument", function() ag.select(User):where(User.posts) end)
  end)
end)
