local ag = require "argent"
local raises = require("spec.support.expect").raises

describe("declarative classes", function()
  local Base
  before_each(function() Base = ag.declarative_base() end)

  local function simple(definition)
    definition = definition or {}
    definition.__tablename = definition.__tablename or "things"
    definition.id = definition.id or ag.mapped_column(ag.Integer, {primary_key = true})
    return Base:model("Thing", definition)
  end

  it("make a table whose columns stand in the order they were written", function()
    local T = Base:model("T", {
      __tablename = "t",
      zebra = ag.mapped_column(ag.Integer, {primary_key = true}),
      apple = ag.mapped_column(ag.Text),
      mango = ag.mapped_column(ag.Text, {nullable = false}),
    })
    local names = {}
    for i, column in ipairs(T.__table.c) do names[i] = column.name end
    assert.same({"zebra", "apple", "mango"}, names)
    assert.equal("t", T.__tablename)
    assert.equal(T.__table, Base.metadata.tables.t)
  end)

  it("take the type of a foreign key from its target, defined before or after", function()
    local Child = Base:model("Child", {
      __tablename = "child",
      id = ag.mapped_column(ag.Integer, {primary_key = true}),
      parent_id = ag.mapped_column(ag.ForeignKey("parent.code"), {nullable = false}),
    })
    Base:model("Parent", {__tablename = "parent", code = ag.mapped_column(ag.String(9), {primary_key = true})})
    assert.equal(ag.String(9), Child.__table.c.parent_id.type)
  end)

  it("have attributes that are SQL expressions, always the same ones", function()
    local T = simple{name = ag.mapped_column(ag.Text)}
    assert.equal(T.name, T.name)
    assert.equal(T.name, T.__table.c.name)
    assert.equal("SELECT things.name FROM things WHERE things.id > :id_1", tostring(ag.select(T.name):where(T.id:gt(5))))
  end)

  it("may name a column differently", function()
    local T = simple{label = ag.mapped_column("thing_label", ag.Text)}
    assert.equal("thing_label", T.__table.c.thing_label.name)
    local t = T{label = "x"}
    assert.equal("x", t.label)
  end)

  it("take constraints and table options in __table_args", function()
    local T = simple{
      email = ag.mapped_column(ag.Text),
      __table_args = {ag.UniqueConstraint("email", {name = "one_email"}), ag.CheckConstraint("id > 0"), comment = "all things"},
    }
    assert.equal("all things", T.__table.comment)
    local ddl = tostring(ag.CreateTable(T.__table))
    assert.truthy(ddl:find("CONSTRAINT one_email UNIQUE (email)", 1, true), ddl)
    assert.truthy(ddl:find("CHECK (id > 0)", 1, true), ddl)
  end)

  it("map an existing table with __table", function()
    local table_ = ag.Table("legacy", Base.metadata, {
      ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("secret", ag.Text)})
    local Legacy = Base:model("Legacy", {__table = table_, __mapper_args = {exclude_properties = {"secret"}}})
    assert.equal(table_.c.name, Legacy.name)
    raises("ArgumentError", "no attribute 'secret'", function() return Legacy.secret end)
    assert.equal("n", Legacy{name = "n"}.name)
  end)

  it("accept plain Columns", function()
    local T = Base:model("T", {__tablename = "t", id = ag.Column("id", ag.Integer, {primary_key = true})})
    assert.equal(7, T{id = 7}.id)
  end)

  it("share what mixins define, each class with columns of its own", function()
    local Stamped = {
      created_at = ag.mapped_column(ag.DateTime),
      kind = function() return "stamped" end,
      home = ag.declared_attr(function(cls) return ag.column_property(ag.literal(cls.__tablename)) end),
    }
    local A = Base:model("A", {__tablename = "a", __mixins = {Stamped}, id = ag.mapped_column(ag.Integer, {primary_key = true})})
    local B = Base:model("B", {__tablename = "b", __mixins = {Stamped}, id = ag.mapped_column(ag.Integer, {primary_key = true})})
    assert.not_equal(A.created_at, B.created_at)
    assert.equal("stamped", A{}:kind())
    assert.equal("SELECT b.created_at FROM b", tostring(ag.select(B.created_at)))
  end)

  it("inherit from abstract classes", function()
    local Named = Base:model("Named", {__abstract = true, id = ag.mapped_column(ag.Integer, {primary_key = true}),
      name = ag.mapped_column(ag.Text), hello = function(self) return "hello " .. self.name end})
    local City = Named:model("City", {__tablename = "cities"})
    assert.equal("hello Oslo", City{name = "Oslo"}:hello())
  end)

  it("can have methods, constants and metamethods", function()
    local T = simple{name = ag.mapped_column(ag.Text), LIMIT = 10}
    function T:shout() return self.name:upper() end
    function T:__tostring() return "thing " .. self.name end
    local t = T{name = "x"}
    assert.equal("X", t:shout())
    assert.equal(10, t.LIMIT)
    assert.equal("thing x", tostring(t))
  end)

  describe("refuse", function()
    local id = function() return ag.mapped_column(ag.Integer, {primary_key = true}) end

    it("a class without a table or a primary key", function()
      raises("ArgumentError", "does not have a __table or __tablename", function() Base:model("T", {id = id()}) end)
      raises("ArgumentError", "could not assemble any primary key columns", function()
        Base:model("T", {__tablename = "t", name = ag.mapped_column(ag.Text)})
      end)
    end)

    it("unknown special keys, naming the nearest", function()
      raises("ArgumentError", {"__table_name", "did you mean '__tablename'"}, function() Base:model("T", {__table_name = "t", id = id()}) end)
      raises("ArgumentError", {"__mapper_args", "polymorphic_on"}, function()
        Base:model("T", {__tablename = "t", id = id(), __mapper_args = {polymorfic_on = "x"}})
      end)
    end)

    it("wrong arguments", function()
      raises("ArgumentError", "expected a string", function() Base:model(5, {}) end)
      raises("ArgumentError", "expected a table", function() Base:model("T") end)
      raises("ArgumentError", "class name", function() Base:model("no name", {}) end)
      raises("ArgumentError", "got nil", function() ag.mapped_column(nil) end)
      raises("ArgumentError", "expected a class or its name", function() ag.relationship(5) end)
    end)

    it("unknown relationship options, naming the nearest", function()
      raises("ArgumentError", {"back_populate", "did you mean 'back_populates'"}, function()
        ag.relationship("T", {back_populate = "x"})
      end)
    end)

    it("replacing a mapped attribute", function()
      local T = Base:model("T", {__tablename = "t", id = id()})
      raises("ArgumentError", "T.id is mapped", function() T.id = function() end end)
    end)
  end)

  describe("construct objects", function()
    local T
    before_each(function() T = simple{name = ag.mapped_column(ag.Text), age = ag.mapped_column(ag.Integer)} end)

    it("from a table of attributes", function()
      local t = T{name = "x", age = 3}
      assert.equal("x", t.name)
      assert.equal(3, t.age)
      assert.is_nil(t.id)
      assert.is_nil(T().name)
    end)

    it("refusing unknown names with the nearest one", function()
      raises("ArgumentError", "T" .. "hing has no attribute 'nmae'; did you mean 'name'?", function() T{nmae = "x"} end)
      raises("ArgumentError", "no attribute", function() T{"x"} end)
    end)

    it("and give unknown attributes no place", function()
      local t = T{}
      raises("ArgumentError", "did you mean 'name'?", function() return t.nam end)
      raises("ArgumentError", "did you mean 'age'?", function() t.aeg = 3 end)
      ag.inspect(t).info.anything = 5
      assert.equal(5, ag.inspect(t).info.anything)
    end)
  end)
end)

describe("attributes that are no plain columns", function()
  local Base
  before_each(function() Base = ag.declarative_base() end)
  local function id() return ag.mapped_column(ag.Integer, {primary_key = true}) end

  it("column_property is selected with the object and cannot be assigned", function()
    local P = Base:model("P", {__tablename = "p", id = id(), first = ag.mapped_column(ag.Text), last = ag.mapped_column(ag.Text),
      full = ag.column_property(function(cls) return cls.first .. " " .. cls.last end)})
    assert.equal('SELECT p.first || :last_1 || p.last AS "full" FROM p', tostring(ag.select(P.full)))
    raises("InvalidRequestError", "column_property", function() P{full = "x"}.full = "y" end)
  end)

  it("hybrid properties work on objects and in queries", function()
    local P = Base:model("P", {__tablename = "p", id = id(), low = ag.mapped_column(ag.Integer), high = ag.mapped_column(ag.Integer),
      width = ag.hybrid_property(function(self) return self.high - self.low end, {setter = function(self, v) self.high = self.low + v end}),
      wide = ag.hybrid_property(function(self) return self.high - self.low > 10 end,
        {expression = function(cls) return (cls.high - cls.low):gt(10) end}),
      at_least = ag.hybrid_method(function(self, n) return self.high >= n end, {expression = function(cls, n) return cls.high:ge(n) end}),
    })
    local p = P{low = 5, high = 7}
    assert.equal(2, p.width)
    p.width = 20
    assert.equal(25, p.high)
    assert.is_true(p.wide)
    assert.is_true(p:at_least(25))
    assert.equal("SELECT p.id FROM p WHERE p.high - p.low > :param_1", tostring(ag.select(P.id):where(P.wide)))
    assert.equal("SELECT p.id FROM p WHERE p.high >= :high_1", tostring(ag.select(P.id):where(P:at_least(3))))
    raises("InvalidRequestError", "cannot be assigned", function() p.wide = true end)
  end)

  it("synonyms are another name", function()
    local P = Base:model("P", {__tablename = "p", id = id(), name = ag.mapped_column(ag.Text), title = ag.synonym("name")})
    local p = P{title = "x"}
    assert.equal("x", p.name)
    p.title = "y"
    assert.equal("y", p.name)
    assert.equal(P.name, P.title)
  end)

  it("composites are values of several columns", function()
    local Point = setmetatable({}, {__call = function(_, x, y)
      return {x = x, y = y, composite_values = function(self) return {self.x, self.y} end}
    end})
    local P = Base:model("P", {__tablename = "p", id = id(), x = ag.mapped_column(ag.Integer), y = ag.mapped_column(ag.Integer),
      at = ag.composite(Point, "x", "y")})
    local p = P{}
    assert.is_nil(p.at)
    p.at = Point(3, 4)
    assert.equal(3, p.x)
    assert.equal(4, p.at.y)
  end)

  it("validators see every value and give what is assigned", function()
    local seen = {}
    local P = Base:model("P", {__tablename = "p", id = id(), email = ag.mapped_column(ag.Text),
      ag.validates("email", function(self, key, value)
        seen[#seen + 1] = {self, key, value}
        assert(value:find("@"), "no address")
        return value:lower()
      end)})
    local p = P{email = "A@B"}
    assert.equal("a@b", p.email)
    assert.same({p, "email", "A@B"}, seen[1])
    assert.has_error(function() p.email = "nothing" end)
    assert.equal("a@b", p.email)
  end)
end)
