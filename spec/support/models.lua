--- Classes that the ORM's specs share, made anew for each describe block: users, their posts, the posts' tags, and nodes of a tree.
local ag = require "argent"
local db = require "spec.support.db"

local M = {}

--- A fresh base with User, Post, Tag and Node; options: relationship options by "Class.name".
function M.new(options)
  options = options or {}
  local function rel(target, name, default)
    for key, value in pairs(options[name] or {}) do default[key] = value end
    return ag.relationship(target, default)
  end
  local Base = ag.declarative_base()
  local m = {Base = Base}
  m.post_tags = ag.Table("post_tags", Base.metadata, {
    ag.Column("post_id", ag.Integer, ag.ForeignKey("posts.id"), {primary_key = true}),
    ag.Column("tag_id", ag.Integer, ag.ForeignKey("tags.id"), {primary_key = true}),
  })
  m.User = Base:model("User", {
    __tablename = "users",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.String(50)),
    age = ag.mapped_column(ag.Integer),
    posts = rel("Post", "User.posts", {back_populates = "author", cascade = "all, delete-orphan", order_by = "Post.id"}),
  })
  m.Post = Base:model("Post", {
    __tablename = "posts",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    author_id = ag.mapped_column(ag.ForeignKey("users.id")),
    title = ag.mapped_column(ag.Text),
    author = rel("User", "Post.author", {back_populates = "posts"}),
    tags = rel("Tag", "Post.tags", {secondary = m.post_tags, back_populates = "posts", order_by = "Tag.id"}),
  })
  m.Tag = Base:model("Tag", {
    __tablename = "tags",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    name = ag.mapped_column(ag.Text, {unique = true}),
    posts = rel("Post", "Tag.posts", {secondary = m.post_tags, back_populates = "tags", order_by = "Post.id"}),
  })
  m.Node = Base:model("Node", {
    __tablename = "nodes",
    id = ag.mapped_column(ag.Integer, {primary_key = true}),
    parent_id = ag.mapped_column(ag.ForeignKey("nodes.id")),
    name = ag.mapped_column(ag.Text),
    children = rel("Node", "Node.children", {back_populates = "parent", order_by = "Node.id"}),
    parent = rel("Node", "Node.parent", {back_populates = "children", remote_side = "Node.id"}),
  })
  return m
end

--- An engine with the tables of a base.
function M.engine(base, options)
  local engine = db.engine(options)
  base.metadata:create_all(engine)
  return engine
end

--- Ann with two posts, the second tagged twice; bob with none.
function M.fill(m, engine)
  ag.sessionmaker(engine):begin(function(session)
    local ann = m.User{name = "ann", age = 30}
    ann.posts = {m.Post{title = "first"}, m.Post{title = "second"}}
    ann.posts[2].tags = {m.Tag{name = "red"}, m.Tag{name = "blue"}}
    session:add_all{ann, m.User{name = "bob", age = 40}}
  end)
end

--- A list to which every statement sent is appended (shortened to its first words with `words`).
function M.statements(engine)
  local list = {}
  ag.event.listen(engine, "before_cursor_execute", function(_, _, statement) list[#list + 1] = (statement:gsub("%s+", " ")) end)
  return list
end

--- Run f and give the statements it sent.
function M.sent(list, f)
  for i = #list, 1, -1 do list[i] = nil end
  local result = f()
  return table.move(list, 1, #list, 1, {}), result
end

return M
