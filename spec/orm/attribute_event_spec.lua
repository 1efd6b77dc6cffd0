--- Attribute events and validators: they run before the change, may query, yield and raise, and give another value.
local ag = require "argent"
local db = require "spec.support.db"
local loops = require "spec.support.loops"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

for _, loop in ipairs(loops) do
  describe("attribute events, waiting by " .. loop.name, function()
    local m, User, Post, Tag, engine
    before_each(function()
      m = models.new()
      User, Post, Tag = m.User, m.Post, m.Tag
      engine = models.engine(m.Base, {wait = loop.hook})
    end)
    after_each(db.cleanup)

    local function with_session(f)
      loop.run(function()
        local session <close> = ag.Session(engine)
        f(session)
      end)
    end
    --- A log of calls: {"append first", …}.
    local function log(target, list, ...)
      for _, name in ipairs{...} do
        ag.event.listen(target, name, function(_, value)
          list[#list + 1] = name .. " " .. (value == nil and "nil" or ag.inspect(value).class == Post and value.title or value.name)
        end)
      end
    end

    it("set: old and new value; with retval another one; a query and an error in it", function()
      with_session(function(session)
        local seen = {}
        ag.event.listen(User.name, "set", function(target, value, old, initiator)
          seen[#seen + 1] = {target, value, old, initiator.key, initiator.op}
        end)
        ag.event.listen(User.name, "set", function(_, value)
          if value == "bad" then error("not that name") end
          local n = session:no_autoflush(function() return session:scalar(ag.select(ag.func.count(User.id))) end)
          return value and value .. n
        end, {retval = true})
        local ann = User{name = "ann"}
        session:add(ann)
        assert.equal("ann0", ann.name)
        session:flush()
        ann.name = "bea"
        assert.equal("bea1", ann.name)
        assert.same({ann, "bea", "ann0", "name", "set"}, seen[2])
        local ok, e = pcall(function() ann.name = "bad" end)
        assert.is_false(ok)
        assert.truthy(tostring(e):find("not that name", 1, true))
        assert.equal("bea1", ann.name)
        session:commit()
        assert.equal("bea1", session:scalar(ag.select(User.name)))
      end)
    end)

    it("append and remove, by every way a collection changes", function()
      with_session(function(session)
        local seen = {}
        log(User.posts, seen, "append", "remove")
        local one, two, three = Post{title = "1"}, Post{title = "2"}, Post{title = "3"}
        local ann = User{posts = {one}}
        ann.posts:append(two)
        ann.posts:remove(one)
        ann.posts:extend{one, three}
        ann.posts:pop()
        ann.posts[1] = three
        ann.posts:clear()
        assert.same({"append 1", "append 2", "remove 1", "append 1", "append 3", "remove 3", "append 3", "remove 2", "remove 3", "remove 1"}, seen)
        assert.equal(0, #ann.posts)
        session:add(ann)
        session:commit()
      end)
    end)

    it("append gives another member with retval, and stops by an error", function()
      with_session(function(session)
        local instead = Post{title = "instead"}
        ag.event.listen(User.posts, "append", function(_, post)
          if post.title == "never" then error("never") end
          return session:no_autoflush(function() return session:scalar(ag.select(ag.literal(1))) end) and instead
        end, {retval = true})
        local ann = User{name = "ann"}
        session:add(ann)
        ann.posts:append(Post{title = "x"})
        assert.equal(instead, ann.posts[1])
        assert.is_false(pcall(function() ann.posts:append(Post{title = "never"}) end))
        assert.equal(1, #ann.posts)
        session:commit()
        assert.equal(1, session:scalar(ag.select(ag.func.count(Post.id))))
      end)
    end)

    it("bulk_replace sees the whole list and may change it", function()
      with_session(function(session)
        local seen = {}
        log(User.posts, seen, "append", "remove")
        ag.event.listen(User.posts, "bulk_replace", function(_, values, initiator)
          assert.equal("bulk_replace", initiator.op)
          seen[#seen + 1] = "bulk " .. #values
          table.remove(values)
        end)
        local ann = User{}
        session:add(ann)
        ann.posts = {Post{title = "1"}, Post{title = "2"}, Post{title = "3"}}
        assert.equal(2, #ann.posts)
        ann.posts = {ann.posts[2], Post{title = "4"}, Post{title = "5"}}
        assert.same({"bulk 3", "append 1", "append 2", "bulk 3", "append 4", "remove 1"}, seen)
        session:commit()
        assert.equal(2, #ann.posts)
      end)
    end)

    it("init_scalar gives what an attribute is before it is set", function()
      with_session(function(session)
        ag.event.listen(User.age, "init_scalar", function(_, _, dict)
          local value = session:scalar(ag.select(40 + ag.literal(2)))
          dict.age = value
          return value
        end, {retval = true})
        ag.event.listen(User.name, "init_scalar", function() return "nobody" end, {retval = true})
        local ann = User{}
        assert.equal(42, ann.age)
        assert.equal("nobody", ann.name)
        session:add(ann)
        session:commit()
        assert.equal(42, ann.age)
        assert.is_nil(ann.name)
      end)
    end)

    it("on the other side of back_populates", function()
      with_session(function(session)
        local seen = {}
        log(User.posts, seen, "append", "remove")
        log(Post.author, seen, "set")
        local ann, bob, post = User{name = "ann"}, User{name = "bob"}, Post{title = "p"}
        session:add_all{ann, bob, post}
        post.author = ann
        assert.same({"set ann", "append p"}, seen)
        seen[1], seen[2] = nil, nil
        post.author = bob
        assert.same({"set bob", "remove p", "append p"}, seen)
        for i = #seen, 1, -1 do seen[i] = nil end
        ann.posts:append(post)
        assert.same({"append p", "set ann", "remove p"}, seen)
        for i = #seen, 1, -1 do seen[i] = nil end
        ann.posts:remove(post)
        assert.same({"remove p", "set nil"}, seen)
        assert.is_nil(post.author)
        local tags = {}
        log(Tag.posts, tags, "append", "remove")
        post.tags = {Tag{name = "t"}}
        post.tags:clear()
        assert.same({"append p", "remove p"}, tags)
      end)
    end)

    it("are inherited with propagate", function()
      local Base = ag.declarative_base()
      local A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), kind = ag.mapped_column(ag.Text),
        note = ag.mapped_column(ag.Text), __mapper_args = {polymorphic_on = "kind", polymorphic_identity = "a"}})
      local B = A:model("B", {__mapper_args = {polymorphic_identity = "b"}})
      local seen = {}
      ag.event.listen(A.note, "set", function(_, value) seen[#seen + 1] = "own " .. value end)
      ag.event.listen(A.note, "set", function(_, value) seen[#seen + 1] = "all " .. value end, {propagate = true})
      A{note = "1"}
      B{note = "2"}
      assert.same({"own 1", "all 1", "all 2"}, seen)
    end)

    it("modified tells of flag_modified; remove ends a listener", function()
      local n = 0
      local function listener() n = n + 1 end
      ag.event.listen(User.name, "modified", listener)
      local ann = User{name = "a"}
      ag.flag_modified(ann, "name")
      assert.equal(1, n)
      ag.event.remove(User.name, "modified", listener)
      ag.flag_modified(ann, "name")
      assert.equal(1, n)
      raises("ArgumentError", "did you mean 'append'", function() ag.event.listen(User.posts, "apend", listener) end)
    end)
  end)
end

describe("validators", function()
  local Base, Order, Item, seen
  local function build(options)
    Base, seen = ag.declarative_base(), {}
    Order = Base:model("Order", {
      __tablename = "orders",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      items = ag.relationship("Item", {back_populates = "order"}),
      ag.validates("items", function(_, key, item, is_remove)
        seen[#seen + 1] = ("%s %s %s"):format(key, item.name, tostring(is_remove))
        if item.name == "bad" then error("no such item") end
        return item
      end, options),
    })
    Item = Base:model("Item", {
      __tablename = "items",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text),
      order_id = ag.mapped_column(ag.ForeignKey("orders.id")),
      order = ag.relationship("Order", {back_populates = "items"}),
    })
  end

  it("see what back_populates changes", function()
    build()
    local order = Order{}
    Item{name = "a", order = order}
    assert.same({"items a nil"}, seen)
    assert.equal(1, #order.items)
    local bad = Item{name = "bad"}
    assert.is_false(pcall(function() bad.order = order end))
    assert.is_nil(bad.order)
    assert.equal(1, #order.items)
  end)

  it("see removals with include_removes", function()
    build{include_removes = true}
    local order = Order{}
    local item = Item{name = "a", order = order}
    item.order = nil
    order.items:append(item)
    order.items:remove(item)
    assert.same({"items a false", "items a true", "items a false", "items a true"}, seen)
  end)

  it("do not see what back_populates changes with include_backrefs = false", function()
    build{include_backrefs = false}
    local order = Order{}
    Item{name = "a", order = order}
    assert.same({}, seen)
    order.items:append(Item{name = "b"})
    assert.same({"items b nil"}, seen)
    assert.equal(2, #order.items)
  end)
end)
