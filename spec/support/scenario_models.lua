--- The classes of spec/orm/scenarios_spec.lua: one-to-many with and without delete-orphan, many-to-many, a tree, a version.
local ag = require "argent"

local Base = ag.declarative_base()
local column, key, foreign, relationship = ag.mapped_column, {primary_key = true}, ag.ForeignKey, ag.relationship
local post_tags = ag.Table("pt", Base.metadata, {ag.Column("p", foreign "posts.id", {primary_key = true}),
  ag.Column("t", foreign "tags.id", {primary_key = true})})
local User = Base:model("User", {
  __tablename = "users",
  id = column(ag.Integer, key), name = column(ag.Text, {unique = true}), age = column(ag.Integer, {default = 7}),
  posts = relationship("Post", {back_populates = "author", cascade = "all, delete-orphan", order_by = "Post.id"}),
  notes = relationship("Note", {back_populates = "user", order_by = "Note.id"}),
})
local Note = Base:model("Note", {
  __tablename = "notes",
  id = column(ag.Integer, key), user_id = column(foreign "users.id"), text = column(ag.Text),
  user = relationship("User", {back_populates = "notes"}),
})
local Post = Base:model("Post", {
  __tablename = "posts",
  id = column(ag.Integer, key), author_id = column(foreign "users.id"), title = column(ag.Text),
  author = relationship("User", {back_populates = "posts"}),
  tags = relationship("Tag", {secondary = post_tags, back_populates = "posts", order_by = "Tag.id"}),
})
local Tag = Base:model("Tag", {
  __tablename = "tags",
  id = column(ag.Integer, key), name = column(ag.Text),
  posts = relationship("Post", {secondary = post_tags, back_populates = "tags", order_by = "Post.id"}),
})
local Node = Base:model("Node", {
  __tablename = "nodes",
  id = column(ag.Integer, key), parent_id = column(foreign "nodes.id"), name = column(ag.Text),
  children = relationship("Node", {back_populates = "parent", order_by = "Node.id"}),
  parent = relationship("Node", {back_populates = "children", remote_side = "Node.id"}),
})
local Ver = Base:model("Ver", {
  __tablename = "vers",
  id = column(ag.Integer, key), v = column(ag.Integer, {nullable = false}), x = column(ag.Text), __mapper_args = {version_id_col = "v"},
})

return {Base = Base, User = User, Note = Note, Post = Post, Tag = Tag, Node = Node, Ver = Ver}
