--- Inheritance: joined tables, one table, tables of their own; how subclasses are loaded and flushed.
local ag = require "argent"
local db = require "spec.support.db"
local models = require "spec.support.models"
local raises = require("spec.support.expect").raises

describe("inheritance", function()
  local Base, engine, session, sent
  before_each(function() Base = ag.declarative_base() end)
  after_each(function()
    session:close()
    session = nil
    db.cleanup()
  end)
  local function open()
    if session then session:close() end
    engine = models.engine(Base)
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
  local function names(list)
    local out = {}
    for i, object in ipairs(list) do out[i] = ("%s %s"):format(ag.inspect(object).class.__name, object.name) end
    return out
  end
  local function count_sent(f) return #(models.sent(sent, f)) end

  describe("in joined tables", function()
    local Company, Employee, Manager, Engineer, Boss, Paper
    local function classes(options)
      options = options or {}
      Company = Base:model("Company", {
        __tablename = "companies",
        id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text),
        employees = ag.relationship("Employee", {back_populates = "company", order_by = "Employee.id"}),
        managers = ag.relationship("Manager", {viewonly = true}),
      })
      Employee = Base:model("Employee", {
        __tablename = "employees",
        id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text), type = ag.mapped_column(ag.String(20)),
        company_id = ag.mapped_column(ag.ForeignKey("companies.id")),
        company = ag.relationship("Company", {back_populates = "employees"}),
        __mapper_args = {polymorphic_on = "type", polymorphic_identity = "employee", with_polymorphic = options.with_polymorphic},
      })
      Manager = Employee:model("Manager", {
        __tablename = "managers",
        id = ag.mapped_column(ag.ForeignKey("employees.id"), {primary_key = true}), data = ag.mapped_column(ag.Text),
        papers = ag.relationship("Paper", {back_populates = "manager"}),
        __mapper_args = {polymorphic_identity = "manager", polymorphic_load = options.load},
      })
      Engineer = Employee:model("Engineer", {
        __tablename = "engineers",
        id = ag.mapped_column(ag.ForeignKey("employees.id"), {primary_key = true}), info = ag.mapped_column(ag.Text),
        __mapper_args = {polymorphic_identity = "engineer", polymorphic_load = options.load},
      })
      Boss = Manager:model("Boss", {
        __tablename = "bosses",
        id = ag.mapped_column(ag.ForeignKey("managers.id"), {primary_key = true}), golf = ag.mapped_column(ag.Text),
        __mapper_args = {polymorphic_identity = "boss"},
      })
      Paper = Base:model("Paper", {
        __tablename = "papers",
        id = ag.mapped_column(ag.Integer, {primary_key = true}), title = ag.mapped_column(ag.Text),
        manager_id = ag.mapped_column(ag.ForeignKey("managers.id")),
        manager = ag.relationship("Manager", {back_populates = "papers"}),
      })
      open()
      session:add(Company{name = "c", employees = {Employee{name = "e"}, Manager{name = "m", data = "md", papers = {Paper{title = "p"}}},
        Engineer{name = "g", info = "i"}, Boss{name = "b", data = "bd", golf = "yes"}}})
    end
    local function committed(options)
      classes(options)
      session:commit()
      session:expunge_all()
    end

    it("writes parents' tables first, then those that refer to them, and deletes the other way round", function()
      classes()
      assert.same({"INSERT companies", "INSERT employees", "INSERT employees", "INSERT managers", "INSERT employees", "INSERT engineers",
        "INSERT employees", "INSERT managers", "INSERT bosses", "INSERT papers"}, flush())
      session:commit()
      local boss = session:get(Boss, 4)
      boss.golf, boss.name, boss.data = "no", "bb", "x"
      assert.same({"UPDATE employees", "UPDATE managers", "UPDATE bosses"}, flush())
      boss.golf = "again"
      assert.same({"UPDATE bosses"}, flush())
      session:delete(boss)
      session:no_autoflush(function() assert.equal(0, #boss.papers) end)
      assert.same({"DELETE bosses", "DELETE managers", "DELETE employees"}, flush())
      session:commit()
      assert.equal(3, session:scalar(ag.select(ag.func.count(Employee.id))))
    end)

    it("gives objects of their classes, whose own columns are read when they are wanted", function()
      committed()
      local all
      assert.equal(1, count_sent(function()
        all = session:scalars(ag.select(Employee):order_by(Employee.id)):all()
        assert.same({"Employee e", "Manager m", "Engineer g", "Boss b"}, names(all))
      end))
      assert.equal(1, count_sent(function() assert.equal("md", all[2].data) end))
      assert.equal(1, count_sent(function() assert.equal("yesbd", all[4].golf .. all[4].data) end))
      session:expunge_all()
      assert.same({"Manager m", "Boss b"}, names(session:scalars(ag.select(Manager):order_by(Manager.id)):all()))
      assert.equal("Boss", ag.inspect(session:get(Employee, 4)).class.__name)
      assert.is_nil(session:get(Engineer, 2))
    end)

    it("with_polymorphic reads subclasses' columns along, and they may be in conditions", function()
      committed()
      local all = ag.with_polymorphic(Employee, {Manager, Engineer})
      local list
      assert.equal(1, count_sent(function()
        list = session:scalars(ag.select(all):order_by(all.id)):all()
        assert.equal("md", list[2].data)
        assert.equal("i", list[3].info)
        assert.equal("bd", list[4].data)
      end))
      assert.same({"golf"}, (function()
        local out = {}
        for _, key in ipairs(ag.inspect(list[4]).unloaded) do if key == "golf" then out[1] = key end end
        return out
      end)())
      local found = session:scalars(ag.select(all):where(all.Manager.data:eq("md") | all.Engineer.info:eq("i")):order_by(all.id)):all()
      assert.same({"Manager m", "Engineer g"}, names(found))
      session:expunge_all()
      local every = ag.with_polymorphic(Employee, "*", {aliased = true})
      assert.equal(1, count_sent(function()
        list = session:scalars(ag.select(every):where(every.name:ne("e")):order_by(every.id)):all()
        assert.equal("yes", list[3].golf)
      end))
      raises("ArgumentError", "expected a subclass of Manager", ag.with_polymorphic, Manager, {Engineer})
    end)

    it("with_polymorphic and polymorphic_load = \"inline\" of the mapper do so always", function()
      for _, options in ipairs{{with_polymorphic = "*"}, {load = "inline"}} do
        Base = ag.declarative_base()
        committed(options)
        assert.equal(1, count_sent(function()
          local list = session:scalars(ag.select(Employee):order_by(Employee.id)):all()
          assert.equal("mdi", list[2].data .. list[3].info)
        end))
      end
    end)

    it("selectin_polymorphic, and polymorphic_load = \"selectin\", read them by a second statement", function()
      committed()
      local stmt = ag.select(Employee):order_by(Employee.id):options(ag.selectin_polymorphic(Employee, {Manager, Engineer}))
      assert.equal(3, count_sent(function()
        local list = session:scalars(stmt):all()
        assert.equal("mdibd", list[2].data .. list[3].info .. list[4].data)
      end))
      session:expunge_all()
      assert.equal(4, count_sent(function()
        local company = session:scalars(ag.select(Company):options(ag.selectinload(Company.employees):selectin_polymorphic({Manager, Engineer})))
          :one()
        assert.equal("mdi", company.employees[2].data .. company.employees[3].info)
      end))
      Base = ag.declarative_base()
      committed{load = "selectin"}
      assert.equal(3, count_sent(function()
        local list = session:scalars(ag.select(Employee):order_by(Employee.id)):all()
        assert.equal("mdi", list[2].data .. list[3].info)
      end))
    end)

    it("of_type narrows joins and any()", function()
      committed()
      local join = ag.select(Company):join(Company.employees:of_type(Manager)):where(Manager.data:eq("md"))
      assert.equal(1, #session:scalars(join):all())
      local any = Company.employees:of_type(Engineer):any(Engineer.info:eq("other"))
      assert.equal(0, #session:scalars(ag.select(Company):where(any)):all())
    end)

    it("relationships lead to and from subclasses", function()
      committed()
      local company = session:scalars(ag.select(Company)):one()
      assert.same({"Employee e", "Manager m", "Engineer g", "Boss b"}, names(company.employees:all()))
      assert.equal(2, #company.managers)
      assert.equal("m", session:scalars(ag.select(Paper)):one().manager.name)
      company.employees:append(Manager{name = "n", papers = {Paper{title = "q"}}})
      session:commit()
      assert.equal(5, #company.employees)
      raises("ArgumentError", {"Paper.manager", "Manager"}, function() Paper{manager = Engineer{}} end)
    end)
  end)

  describe("in one table", function()
    local A, B, C, D
    local function classes()
      A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), kind = ag.mapped_column(ag.String(9)),
        name = ag.mapped_column(ag.Text), __mapper_args = {polymorphic_on = "kind", polymorphic_identity = "a"}})
      B = A:model("B", {data = ag.mapped_column(ag.Text), __mapper_args = {polymorphic_identity = "b"}})
      C = B:model("C", {more = ag.mapped_column(ag.Text), data = ag.mapped_column(ag.Text, {use_existing_column = true}),
        __mapper_args = {polymorphic_identity = "c"}})
      D = A:model("D", {__mapper_args = {polymorphic_abstract = true}})
      open()
      session:add_all{A{name = "1"}, B{name = "2", data = "x"}, C{name = "3", data = "y", more = "z"}}
      session:commit()
      session:expunge_all()
    end

    it("a subclass's SELECT asks for its identities", function()
      classes()
      assert.same({"A 1", "B 2", "C 3"}, names(session:scalars(ag.select(A):order_by(A.id)):all()))
      assert.same({"B 2", "C 3"}, names(session:scalars(ag.select(B):order_by(B.id)):all()))
      assert.same({"C 3"}, names(session:scalars(ag.select(C)):all()))
      assert.equal("z", session:get(A, 3).more)
      assert.is_nil(session:get(B, 1))
    end)

    it("columns of subclasses are the table's, and each class writes its own", function()
      classes()
      local c = session:get(C, 3)
      c.more = "new"
      c.data = "new too"
      assert.same({"UPDATE a"}, flush())
      session:commit()
      assert.equal("new too", session:scalar(ag.select(A.__table.c.data):where(A.id:eq(3))))
      assert.is_nil(session:scalar(ag.select(A.__table.c.more):where(A.id:eq(2))))
      raises("ArgumentError", "A has no attribute 'data'", function() return A{data = "x"} end)
    end)

    it("an abstract class has no objects of its own", function()
      classes()
      raises("InvalidRequestError", "abstract", function() return D{} end)
    end)
  end)

  it("in tables of their own: methods are inherited, tables are not", function()
    local A = Base:model("A", {__tablename = "a", id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text)})
    function A:hello() return "hello " .. self.name end
    local B = A:model("B", {__tablename = "b", id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text),
      extra = ag.mapped_column(ag.Text), __mapper_args = {concrete = true}})
    open()
    session:add_all{A{name = "1"}, B{name = "2", extra = "x"}}
    assert.same({"INSERT a", "INSERT b"}, flush())
    session:commit()
    session:expunge_all()
    assert.same({"A 1"}, names(session:scalars(ag.select(A)):all()))
    assert.equal("hello 2", session:scalars(ag.select(B)):one():hello())
    assert.equal("1", session:get(A, 1).name)
    assert.equal("x", session:get(B, 1).extra)
  end)
end)
