--- The order in which a flush writes, and in how many round trips.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("the order of a flush", function()
  local Base, engine, session, sent
  local function open()
    engine = models.engine(Base)
    session = ag.Session(engine)
    sent = models.statements(engine)
  end
  before_each(function() Base = ag.declarative_base() end)
  after_each(function()
    session:close()
    db.cleanup()
  end)

  --- First words of what a flush sends: "INSERT users".
  local function flush()
    local out = {}
    for i, text in ipairs(models.sent(sent, function() session:flush() end)) do
      out[i] = text:gsub("^(%u+) I?N?T?O? ?F?R?O?M? ?(%S+).*$", "%1 %2")
    end
    return out
  end

  local function account(options)
    return Base:model("Account", {
      __tablename = "accounts",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      email = ag.mapped_column(ag.String(50), options or {}),
      area = ag.mapped_column(ag.Integer),
      number = ag.mapped_column(ag.Integer),
      __table_args = {ag.UniqueConstraint("area", "number"), ag.Index("one_number", "number", {unique = true})},
    })
  end

  describe("when a unique value moves", function()
    it("from a deleted row to a new one of another key", function()
      local Account = account{unique = true}
      open()
      local old = Account{email = "a@x", area = 1, number = 1}
      session:add(old)
      session:commit()
      session:delete(old)
      session:add(Account{email = "a@x", area = 2, number = 2})
      assert.same({"DELETE accounts", "INSERT accounts"}, flush())
      session:commit()
      assert.same({2}, session:scalars(ag.select(Account.area)):all())
    end)

    it("by a key of several columns, and by an index", function()
      local Account = account()
      open()
      local old, other = Account{area = 1, number = 1}, Account{area = 7, number = 9}
      session:add_all{old, other}
      session:commit()
      session:delete(old)
      session:add(Account{area = 1, number = 1})
      assert.same({"DELETE accounts", "INSERT accounts"}, flush())
      session:delete(other)
      session:add(Account{area = 8, number = 9})
      assert.same({"DELETE accounts", "INSERT accounts"}, flush())
      session:commit()
    end)

    it("from a deleted row to a changed one", function()
      local Account = account{unique = true}
      open()
      local old, other = Account{email = "a@x"}, Account{email = "b@x"}
      session:add_all{old, other}
      session:commit()
      session:delete(old)
      other.email = "a@x"
      assert.same({"DELETE accounts", "UPDATE accounts"}, flush())
      session:commit()
      assert.equal("a@x", other.email)
    end)

    it("from a changed row to a new one", function()
      local Account = account{unique = true}
      open()
      local old = Account{email = "a@x"}
      session:add(old)
      session:commit()
      old.email = "b@x"
      session:add(Account{email = "a@x"})
      assert.same({"UPDATE accounts", "INSERT accounts"}, flush())
      session:commit()
    end)

    it("with NULLs: they take nothing, so the deletes come last", function()
      local Account = account{unique = true}
      open()
      local old = Account{area = 1}
      session:add(old)
      session:commit()
      session:delete(old)
      session:add(Account{area = 1})
      assert.same({"INSERT accounts", "DELETE accounts"}, flush())
    end)

    it("with children that are deleted, and secondary rows that go", function()
      local m = models.new()
      Base = m.Base
      open()
      local post = m.Post{title = "p"}
      local red = m.Tag{name = "red"}
      post.tags = {red}
      session:add(post)
      session:commit()
      session:delete(red)
      session:add(m.Tag{name = "red"})
      assert.same({"DELETE post_tags", "DELETE tags", "INSERT tags"}, flush())
      session:commit()
      assert.equal(0, #post.tags)
    end)

    it("through a foreign key that a relationship sets", function()
      local Shelf = Base:model("Shelf", {
        __tablename = "shelves",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        books = ag.relationship("Book", {back_populates = "shelf", cascade = "all, delete-orphan", order_by = "Book.place"}),
      })
      local Book = Base:model("Book", {
        __tablename = "books",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        shelf_id = ag.mapped_column(ag.ForeignKey("shelves.id")),
        place = ag.mapped_column(ag.Integer),
        shelf = ag.relationship("Shelf", {back_populates = "books"}),
        __table_args = {ag.UniqueConstraint("shelf_id", "place")},
      })
      open()
      local shelf = Shelf{books = {Book{place = 1}, Book{place = 2}}}
      session:add(shelf)
      session:commit()
      shelf.books = {Book{place = 1}, Book{place = 2}, Book{place = 3}}
      assert.same({"DELETE books", "INSERT books"}, flush())
      session:commit()
      assert.equal(3, #shelf.books)
    end)

    it("but not before an object that still refers to the deleted row lets go of it", function()
      local Parent = Base:model("Parent", {
        __tablename = "parents",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        name = ag.mapped_column(ag.String(9), {unique = true}),
        children = ag.relationship("Child", {back_populates = "parent"}),
      })
      local Child = Base:model("Child", {
        __tablename = "children",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        parent_id = ag.mapped_column(ag.ForeignKey("parents.id")),
        parent = ag.relationship("Parent", {back_populates = "children"}),
      })
      open()
      local parent = Parent{name = "x", children = {Child{}}}
      session:add(parent)
      session:commit()
      session:delete(parent)
      session:add(Parent{name = "x"})
      raises("IntegrityError", {}, session.flush, session) -- as SQLAlchemy: the foreign key decides, not the unique key
      session:rollback()
      assert.equal(1, #parent.children)
    end)
  end)

  describe("with versions", function()
    local Doc
    local function docs()
      Doc = Base:model("Doc", {
        __tablename = "docs",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        version = ag.mapped_column(ag.Integer, {nullable = false}),
        text = ag.mapped_column(ag.Text),
        __mapper_args = {version_id_col = "version"},
      })
      open()
    end

    it("reads those that were expired in one query, and compares with what the rows have now", function()
      docs()
      local list = {}
      for i = 1, 4 do list[i] = Doc{text = "t" .. i} end
      session:add_all(list)
      session:commit()
      session:execute(ag.update(Doc.__table):values{version = 9})
      for _, doc in ipairs(list) do doc.text = "new" end
      session:delete(list[4])
      list[4] = nil
      local all = models.sent(sent, function() session:flush() end)
      assert.equal(3, #all)
      assert.truthy(all[1]:find("^SELECT docs.id, docs.version FROM docs WHERE docs.id"))
      assert.truthy(all[2]:find("^UPDATE docs SET version="))
      for _, doc in ipairs(list) do assert.equal(10, doc.version) end
      session:commit()
      assert.equal(10, list[1].version)
    end)

    it("raises when the row is gone", function()
      docs()
      local doc = Doc{text = "a"}
      session:add(doc)
      session:commit()
      session:execute(ag.delete(Doc.__table))
      doc.text = "b"
      raises("StaleDataError", {"docs"}, session.flush, session)
    end)
  end)

  describe("in segments", function()
    --- Sets of statements that were announced together: consecutive before_cursor_execute without an answer between them.
    local function segments(f)
      local list, open_ = {}, false
      local function before(_, _, statement)
        if not open_ then list[#list + 1] = {} end
        open_ = true
        table.insert(list[#list], (statement:match("^%u+")))
      end
      local function after() open_ = false end
      ag.event.listen(engine, "before_cursor_execute", before)
      ag.event.listen(engine, "after_cursor_execute", after)
      f()
      ag.event.remove(engine, "before_cursor_execute", before)
      ag.event.remove(engine, "after_cursor_execute", after)
      return list
    end

    it("everything goes together where no key has to be known", function()
      local m = models.new()
      Base = m.Base
      open()
      for i = 1, 20 do session:add(m.User{name = "u" .. i}) end
      session:commit()
      local users = session:scalars(ag.select(m.User):order_by(m.User.id)):all()
      for i = 1, 10 do users[i].age = i end
      session:no_autoflush(function()
        for i = 11, 20 do
          assert.equal(0, #users[i].posts)
          session:delete(users[i])
        end
      end)
      for i = 1, 10 do session:add(m.User{name = "new" .. i}) end
      assert.same({{"UPDATE", "INSERT", "DELETE"}}, segments(function() session:flush() end))
      assert.equal(20, session:scalar(ag.select(ag.func.count(m.User.id))))
    end)

    it("children wait for the keys of their parents, unless those are given", function()
      local m = models.new()
      Base = m.Base
      open()
      session:add(m.User{name = "ann", posts = {m.Post{title = "a"}}})
      assert.same({{"INSERT"}, {"INSERT"}}, segments(function() session:flush() end))
      session:add(m.User{id = 77, name = "bob", posts = {m.Post{title = "b"}}})
      assert.same({{"INSERT", "INSERT"}}, segments(function() session:flush() end))
      session:commit()
      assert.equal(77, session:scalar(ag.select(m.Post.author_id):where(m.Post.title:eq("b"))))
    end)

    it("a listener of a class sees what was written before it", function()
      local m = models.new()
      Base = m.Base
      open()
      local seen
      ag.event.listen(m.User, "after_insert", function(_, conn)
        seen = conn:scalar(ag.select(ag.func.count()):select_from(m.User.__table))
      end)
      session:add(m.User{id = 5, name = "ann"})
      session:flush()
      assert.equal(1, seen)
    end)

    it("a failure in the middle leaves every object as it was", function()
      local m = models.new()
      Base = m.Base
      open()
      session:add_all{m.User{id = 1, name = "a"}, m.User{id = 2, name = "b"}}
      session:commit()
      local a, b = session:get(m.User, 1), session:get(m.User, 2)
      a.age = 5
      session:delete(b)
      local twin = m.User{id = 1, name = "again"}
      session:add(twin)
      raises("IntegrityError", {}, session.flush, session)
      session:rollback()
      assert.equal("transient", (require("argent.core").orm_state(twin)))
      assert.is_nil(a.age)
      assert.equal("b", b.name)
    end)
  end)
end)
