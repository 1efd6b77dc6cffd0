--- Collections that are more than lists, and attributes of queries.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("collections", function()
  local Base, engine, session, sent
  before_each(function() Base = ag.declarative_base() end)
  after_each(function()
    if session then session:close() end
    db.cleanup()
  end)
  local function open()
    engine = models.engine(Base)
    session = ag.Session(engine)
    sent = models.statements(engine)
  end
  local function count_sent(f) return #(models.sent(sent, f)) end

  describe("of many members", function()
    local Account, Entry
    local function build(lazy)
      Account = Base:model("Account", {
        __tablename = "accounts",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        entries = ag.relationship("Entry", {lazy = lazy, cascade = "all, delete-orphan", order_by = "Entry.id", back_populates = "account"}),
      })
      Entry = Base:model("Entry", {
        __tablename = "entries",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        amount = ag.mapped_column(ag.Integer),
        account_id = ag.mapped_column(ag.ForeignKey("accounts.id")),
        account = ag.relationship("Account", {back_populates = "entries"}),
      })
      open()
      local account = Account{entries = {Entry{amount = 1}, Entry{amount = 2}, Entry{amount = 3}}}
      session:add_all{account, Account{entries = {Entry{amount = 100}}}}
      session:commit()
      session:expunge_all()
      return session:get(Account, 1)
    end
    local function amounts(list)
      local out = {}
      for i, entry in ipairs(list) do out[i] = entry.amount end
      return out
    end

    it("write_only: never loaded; changed without that, read by select()", function()
      local account = build("write_only")
      local new = Entry{amount = 4}
      assert.equal(0, count_sent(function() session:no_autoflush(function()
        account.entries:add(new)
        account.entries:add_all{Entry{amount = 5}}
      end) end))
      assert.equal(account, new.account)
      session:commit()
      assert.same({1, 2, 3, 4, 5}, amounts(session:scalars(account.entries:select()):all()))
      local first = session:scalars(account.entries:select():where(Entry.amount:gt(2)):limit(1)):one()
      assert.equal(3, first.amount)
      account.entries:remove(first)
      session:commit()
      assert.same({1, 2, 4, 5}, amounts(session:scalars(account.entries:select()):all()))
      assert.equal(5, session:scalar(ag.select(ag.func.count(Entry.id))))
      raises("InvalidRequestError", "write_only", function() return #account.entries end)
      raises("InvalidRequestError", "cannot be replaced", function() account.entries = {} end)
    end)

    it("write_only: rows in bulk", function()
      local account = build("write_only")
      session:execute(account.entries:insert(), {{amount = 7}, {amount = 8}})
      session:execute(account.entries:update():values{amount = Entry.amount * 10})
      assert.same({10, 20, 30, 70, 80}, amounts(session:scalars(account.entries:select()):all()))
      session:execute(account.entries:delete():where(Entry.amount:lt(50)))
      assert.same({70, 80}, amounts(session:scalars(account.entries:select()):all()))
      assert.equal(3, session:scalar(ag.select(ag.func.count(Entry.id))))
    end)

    it("dynamic: a query of its own", function()
      local account = build("dynamic")
      assert.same({1, 2, 3}, amounts(account.entries:all()))
      assert.same({3, 2}, amounts(account.entries:filter(Entry.amount:gt(1)):order_by(nil):order_by(Entry.amount:desc()):all()))
      assert.equal(2, account.entries:filter_by{amount = 2}:one().amount)
      assert.equal(3, account.entries:count())
      assert.equal(3, #account.entries)
      assert.equal(1, account.entries:first().amount)
      account.entries:append(Entry{amount = 9})
      assert.equal(9, account.entries:order_by(nil):order_by(Entry.id:desc()):first().amount)
      account.entries:remove(account.entries:first())
      session:commit()
      local seen = {}
      for entry in account.entries:each() do seen[#seen + 1] = entry.amount end
      assert.same({2, 3, 9}, seen)
      session:expunge(account)
      raises("DetachedInstanceError", "entries", function() return account.entries:all() end)
    end)

    it("write_only: deleting the owner deletes the members", function()
      local account = build("write_only")
      session:delete(account)
      session:commit()
      assert.equal(1, session:scalar(ag.select(ag.func.count(Entry.id))))
    end)
  end)

  describe("by key", function()
    local Item, Note
    local function build(collection)
      Item = Base:model("Item", {
        __tablename = "items",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        notes = ag.relationship("Note", {collection_class = collection, cascade = "all, delete-orphan", order_by = "Note.id"}),
      })
      Note = Base:model("Note", {
        __tablename = "notes",
        id = ag.mapped_column(ag.Integer, {primary_key = true}),
        item_id = ag.mapped_column(ag.ForeignKey("items.id")),
        keyword = ag.mapped_column(ag.Text),
        text = ag.mapped_column(ag.Text),
      })
      open()
    end

    it("attribute_keyed_dict: read, put, replace, take out", function()
      build(ag.attribute_keyed_dict("keyword"))
      local item = Item{}
      item.notes["color"] = Note{text = "red"}
      item.notes.size = Note{keyword = "size", text = "big"}
      session:add(item)
      session:commit()
      assert.equal("red", item.notes["color"].text)
      assert.equal("color", item.notes.color.keyword)
      assert.is_nil(item.notes.none)
      assert.equal(2, #item.notes)
      item.notes.color = Note{text = "blue"}
      item.notes.size = nil
      session:commit()
      assert.equal("blue", item.notes.color.text)
      assert.equal(1, session:scalar(ag.select(ag.func.count(Note.id))))
      raises("ArgumentError", "the key", function() item.notes.one = Note{keyword = "other"} end)
    end)

    it("keyfunc_mapping: by what a function says", function()
      build(ag.keyfunc_mapping(function(note) return note.keyword:sub(1, 1) end))
      local item = Item{notes = {Note{keyword = "xyz", text = "1"}}}
      session:add(item)
      session:commit()
      assert.equal("1", item.notes.x.text)
    end)

    it("unknown classes of collections raise", function()
      raises("ArgumentError", {"collection_class", "attribute_keyed_dict"}, function()
        build("dict")
        ag.configure_mappers(Base)
      end)
    end)
  end)

  it("query_expression: an attribute that each query gives", function()
    local User = Base:model("User", {
      __tablename = "users",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      age = ag.mapped_column(ag.Integer),
      double = ag.query_expression(),
      kind = ag.query_expression(ag.literal("plain")),
    })
    open()
    session:add_all{User{age = 10}, User{age = 20}}
    session:commit()
    session:expunge_all()
    local first = session:scalars(ag.select(User):order_by(User.id)):first()
    assert.is_nil(first.double)
    assert.equal("plain", first.kind)
    session:expunge_all()
    local list = session:scalars(ag.select(User):order_by(User.id):options(ag.with_expression(User.double, User.age * 2))):all()
    assert.equal(20, list[1].double)
    assert.equal(40, list[2].double)
    raises("ArgumentError", "query_expression", session.scalars, session, ag.select(User):options(ag.with_expression(User.age, User.id)))
  end)

  it("map_imperatively: a class over a table", function()
    local users = ag.Table("users", Base.metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text)})
    local posts = ag.Table("posts", Base.metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("title", ag.Text),
      ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id"))})
    local User = Base.registry:map_imperatively("User", users, {properties = {posts = ag.relationship("Post", {back_populates = "user"})}})
    local Post = Base.registry:map_imperatively("Post", posts, {properties = {user = ag.relationship("User", {back_populates = "posts"})},
      exclude_properties = {"title"}})
    open()
    session:add(User{name = "ann", posts = {Post{}}})
    session:commit()
    assert.equal("ann", session:scalars(ag.select(Post)):one().user.name)
    raises("ArgumentError", "title", function() return Post{title = "x"} end)
  end)
end)
