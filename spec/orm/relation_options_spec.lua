--- Options of relationships that change what a flush does, and attributes made of relationships.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("relationship option", function()
  local Base, engine, session, sent, Parent, Child
  before_each(function() Base = ag.declarative_base() end)
  after_each(function()
    session:close()
    db.cleanup()
  end)
  local function open()
    engine = models.engine(Base)
    if db.sqlite then ag.event.listen(engine, "connect", function(raw) raw:execute("PRAGMA foreign_keys = ON") end) end
    session = ag.Session(engine)
    sent = models.statements(engine)
  end
  local function flush()
    local out = {}
    for i, text in ipairs(models.sent(sent, function() session:flush() end)) do
      out[i] = text:gsub("^(%u+) I?N?T?O? ?F?R?O?M? ?(%S+).*$", "%1 %2")
    end
    return out
  end
  local function family(options, key_options, fk_options)
    Parent = Base:model("Parent", {
      __tablename = "parents",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.String(20), key_options or {}),
      children = ag.relationship("Child", options),
    })
    Child = Base:model("Child", {
      __tablename = "children",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text),
      parent_id = ag.mapped_column(ag.ForeignKey("parents.id", fk_options)),
    })
    open()
    session:add(Parent{name = "p", children = {Child{name = "a"}, Child{name = "b"}}})
    session:commit()
    return session:scalars(ag.select(Parent)):one()
  end

  it("passive_deletes leaves children that are not loaded to the database", function()
    local parent = family({passive_deletes = true, cascade = "all, delete"}, nil, {ondelete = "CASCADE"})
    session:delete(parent)
    assert.same({"DELETE parents"}, flush())
    session:commit()
    assert.equal(0, session:scalar(ag.select(ag.func.count(Child.id))))
  end)

  it("passive_deletes deletes those that are loaded", function()
    local parent = family({passive_deletes = true, cascade = "all, delete"}, nil, {ondelete = "CASCADE"})
    assert.equal(2, #parent.children)
    session:delete(parent)
    assert.same({"DELETE children", "DELETE parents"}, flush())
    session:commit()
  end)

  it("passive_deletes = \"all\" touches no child, loaded or not", function()
    local parent = family({passive_deletes = "all"}, nil, {ondelete = "SET NULL"})
    assert.equal(2, #parent.children)
    session:delete(parent)
    assert.same({"DELETE parents"}, flush())
    session:commit()
    assert.same({ag.null, ag.null}, session:scalars(ag.select(Child.parent_id)):all())
  end)

  it("without it children are loaded, and let go", function()
    local parent = family({})
    session:delete(parent)
    assert.same({"SELECT children.id,", "UPDATE children", "DELETE parents"}, flush())
    session:commit()
    assert.equal(2, session:scalar(ag.select(ag.func.count(Child.id))))
  end)

  it("viewonly is read and never written", function()
    local parent = family({viewonly = true, order_by = "Child.id"})
    assert.equal(0, #parent.children)
    session:add(Child{name = "c", parent_id = parent.id})
    session:commit()
    assert.equal(1, #parent.children)
    raises("ArgumentError", "viewonly", function()
      local Other = ag.declarative_base()
      Other:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}),
        b = ag.relationship("A", {viewonly = true, cascade = "all"})})
      ag.configure_mappers(Other)
    end)
  end)

  it("post_update breaks a cycle of rows with an UPDATE of its own", function()
    local Node = Base:model("Node", {
      __tablename = "nodes",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      favorite_id = ag.mapped_column(ag.ForeignKey("entries.id", {name = "fk_favorite", use_alter = true})),
      entries = ag.relationship("Entry", {foreign_keys = "Entry.node_id", back_populates = "node"}),
      favorite = ag.relationship("Entry", {foreign_keys = "Node.favorite_id", post_update = true}),
    })
    local Entry = Base:model("Entry", {
      __tablename = "entries",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      node_id = ag.mapped_column(ag.ForeignKey("nodes.id")),
      node = ag.relationship("Node", {foreign_keys = "Entry.node_id", back_populates = "entries"}),
    })
    open()
    local entry = Entry{}
    local node = Node{entries = {entry, Entry{}}, favorite = entry}
    session:add(node)
    assert.same({"INSERT nodes", "INSERT entries", "UPDATE nodes"}, flush())
    session:commit()
    assert.equal(entry, node.favorite)
  end)

  it("passive_updates = false changes the keys of children", function()
    local User = Base:model("User", {
      __tablename = "users",
      name = ag.mapped_column(ag.String(20), {primary_key = true}),
      addresses = ag.relationship("Address", {passive_updates = false, order_by = "Address.email"}),
    })
    local Address = Base:model("Address", {
      __tablename = "addresses",
      email = ag.mapped_column(ag.String(20), {primary_key = true}),
      user_name = ag.mapped_column(ag.String(20), ag.ForeignKey("users.name", {deferrable = true, initially = "DEFERRED"})),
    })
    open()
    local user = User{name = "ann", addresses = {Address{email = "a"}, Address{email = "b"}}}
    session:add(user)
    session:commit()
    assert.equal(2, #user.addresses)
    user.name = "bea"
    session:commit()
    assert.same({"bea", "bea"}, session:scalars(ag.select(Address.user_name)):all())
    assert.equal(user, session:get(User, "bea"))
    assert.is_nil(session:get(User, "ann"))
  end)

  it("single_parent and delete-orphan", function()
    local parent = family({cascade = "all, delete-orphan", order_by = "Child.id"})
    parent.children:remove(parent.children[1])
    assert.same({"DELETE children"}, flush())
    session:commit()
    assert.equal(1, session:scalar(ag.select(ag.func.count(Child.id))))
  end)

  it("active_history loads the old target before it is replaced", function()
    local m = models.new{["Post.author"] = {active_history = true}}
    Base = m.Base
    open()
    session:add(m.Post{title = "p", author = m.User{name = "ann"}})
    session:commit()
    session:expunge_all()
    local post = session:scalars(ag.select(m.Post)):one()
    session:no_autoflush(function()
      post.author = m.User{name = "bob"}
      assert.equal("ann", ag.inspect(post).attrs.author.history.deleted[1].name)
    end)
    session:commit()
  end)

  it("collection_class = \"set\" keeps members once", function()
    local parent = family({collection_class = "set"})
    local one = parent.children[1]
    parent.children:add(one)
    assert.equal(2, #parent.children)
    session:commit()
    assert.equal(2, #parent.children)
  end)

  it("association object: a class for the rows between two others, with columns of its own", function()
    local Student = Base:model("Student", {
      __tablename = "students",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text),
      visits = ag.relationship("Visit", {back_populates = "student", cascade = "all, delete-orphan", order_by = "Visit.course_id"}),
      courses = ag.association_proxy("visits", "course", {creator = function(course)
        return Base.registry.classes.Visit{course = course, grade = 1}
      end}),
    })
    Base:model("Visit", {
      __tablename = "visits",
      student_id = ag.mapped_column(ag.ForeignKey("students.id"), {primary_key = true}),
      course_id = ag.mapped_column(ag.ForeignKey("courses.id"), {primary_key = true}),
      grade = ag.mapped_column(ag.Integer),
      student = ag.relationship("Student", {back_populates = "visits"}),
      course = ag.relationship("Course"),
    })
    local Course = Base:model("Course", {
      __tablename = "courses",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      title = ag.mapped_column(ag.Text),
    })
    open()
    local lua, sql = Course{title = "Lua"}, Course{title = "SQL"}
    local ann = Student{name = "ann"}
    session:add_all{ann, lua, sql}
    ann.courses:append(lua)
    ann.courses:append(sql)
    session:commit()
    assert.equal(2, #ann.courses)
    assert.equal("Lua", ann.courses[1].title)
    assert.equal(1, ann.visits[1].grade)
    assert.is_true(ann.courses:contains(sql))
    ann.courses:remove(lua)
    session:commit()
    assert.same({sql}, ann.courses:all())
    session:delete(ann)
    session:commit()
    assert.equal(2, session:scalar(ag.select(ag.func.count(Course.id))))
  end)

  it("association_proxy on plain attributes, in memory and in queries", function()
    local Owner = Base:model("Owner", {
      __tablename = "owners",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      words = ag.relationship("Word", {cascade = "all, delete-orphan", order_by = "Word.id"}),
      texts = ag.association_proxy("words", "text"),
    })
    Base:model("Word", {
      __tablename = "words",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      owner_id = ag.mapped_column(ag.ForeignKey("owners.id")),
      text = ag.mapped_column(ag.Text),
    })
    open()
    local owner = Owner{}
    session:add(owner)
    owner.texts = {"a", "b"}
    owner.texts:append("c")
    session:commit()
    assert.same({"a", "b", "c"}, owner.texts:all())
    assert.equal(3, #owner.texts)
    assert.equal("b", owner.texts[2])
    owner.texts:remove("b")
    assert.is_false(owner.texts:contains("b"))
    assert.equal(1, #session:scalars(ag.select(Owner):where(Owner.texts:contains("a"))):all())
    assert.equal(0, #session:scalars(ag.select(Owner):where(Owner.texts:contains("zz"))):all())
  end)
end)

describe("options that would do nothing", function()
  it("are refused", function()
    local Base = ag.declarative_base()
    raises("ArgumentError", "batch", Base.model, Base, "A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}),
      __mapper_args = {batch = false}})
    raises("ArgumentError", "load_on_pending", ag.relationship, "B", {load_on_pending = true})
    raises("ArgumentError", "viewonly", ag.relationship, "B", {sync_backref = false})
    raises("ArgumentError", "viewonly", ag.relationship, "B", {sync_backref = true, viewonly = true})
    raises("ArgumentError", "mutable", Base.model, Base, "C", {__tablename = "c", id = ag.mapped_column(ag.Integer, {primary_key = true}),
      data = ag.mapped_column(ag.JSON, {mutable = true})})
    raises("ArgumentError", "binds", ag.Session, ag.create_engine "sqlite://", {binds = {}})
  end)
end)
