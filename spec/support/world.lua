--- One of everything that a program of argent can hold, for specs that try all of it: `world.new()` gives a table of named
--- objects, `world:close()` ends what has to be ended.
local ag = require "argent"
local db = require "spec.support.db"

local M = {}
M.__index = M

local function schema(w)
  w.metadata = ag.MetaData()
  w.users = ag.Table("users", w.metadata, {
    ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("age", ag.Integer, {default = 3}),
    ag.Index("ix_age", "age"),
  })
  w.posts = ag.Table("posts", w.metadata, {
    ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("user_id", ag.Integer, ag.ForeignKey("users.id")),
    ag.CheckConstraint("id > 0", {name = "positive"}),
  })
  w.columns, w.column = w.users.c, w.users.c.id
  w.constraint = ag.UniqueConstraint("name")
  w.ddl = ag.CreateTable(w.users)
end

local function values(w)
  w.date, w.time, w.datetime = ag.date("2024-01-05"), ag.time("10:00:00"), ag.datetime("2024-01-05 10:00:00")
  w.interval, w.decimal, w.url = ag.interval{days = 1}, ag.decimal("1.50"), ag.make_url("sqlite:////no/such/folder/some.db")
  w.string_type, w.enum_type = ag.String(10), ag.Enum({"a", "b"}, {name = "e"})
  w.error = ag.exc.ArgumentError("made")
end

local function sql(w)
  local u, p = w.users.c, w.posts.c
  w.expr, w.condition, w.label = u.age + 1, u.age:gt(3), u.age:label("n")
  w.func, w.exists, w.bind = ag.func.count(u.id), ag.exists(ag.select(u.id)), ag.bindparam("x")
  w.case = ag.case({u.age:lt(18), "minor"}, {else_ = "x"})
  w.select = ag.select(u.id, u.name):where(u.age:gt(1))
  w.compound = ag.union(ag.select(u.id), ag.select(p.id))
  w.subquery, w.cte, w.alias = ag.select(u.id):subquery("s"), ag.select(u.id):cte("c"), w.users:alias("a")
  w.join = w.users:join(w.posts)
  w.text, w.text_columns = ag.text("select 1 as a"), ag.text("select 1 as a"):columns{a = ag.Integer}
  w.insert, w.update, w.delete = ag.insert(w.users), ag.update(w.users), ag.delete(w.users)
  w.compiled = w.select:compile{dialect = "sqlite"}
end

local function orm(w)
  local Base = ag.declarative_base()
  w.Base = Base
  w.User = Base:model("User", {
    __tablename = "people",
    id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text),
    pets = ag.relationship("Pet", {back_populates = "owner", cascade = "all, delete-orphan"}),
  })
  w.Pet = Base:model("Pet", {
    __tablename = "pets",
    id = ag.mapped_column(ag.Integer, {primary_key = true}), owner_id = ag.mapped_column(ag.ForeignKey("people.id")),
    owner = ag.relationship("User", {back_populates = "pets"}),
  })
  w.orm_engine = ag.create_engine("sqlite://")
  Base.metadata:create_all(w.orm_engine)
  w.session = ag.Session(w.orm_engine)
  w.user = w.User{name = "ann"}
  w.user.pets:append(w.Pet{})
  w.session:add(w.user)
  w.session:flush()
  w.detached, w.collection, w.attribute = w.User{name = "free"}, w.user.pets, w.User.name
  w.relationship, w.loader = w.User.pets, ag.selectinload(w.User.pets)
  w.closed_session = ag.Session(w.orm_engine)
  w.closed_session:close()
end

local function engine(w)
  w.engine = ag.create_engine("sqlite://")
  w.metadata:create_all(w.engine)
  w.conn = w.engine:connect()
  w.conn:exec_driver_sql("INSERT INTO users (id, name, age) VALUES (1, 'ann', 30), (2, NULL, 5)")
  w.result = w.conn:exec_driver_sql("SELECT id, name, age FROM users")
  w.row = w.conn:exec_driver_sql("SELECT id, name, age FROM users"):first()
  w.scalars = w.conn:exec_driver_sql("SELECT id FROM users"):scalars()
  w.mappings = w.conn:exec_driver_sql("SELECT id FROM users"):mappings()
  w.frozen = w.conn:exec_driver_sql("SELECT id FROM users"):freeze()
  w.tx = w.conn:begin_nested()
  w.pool = w.engine.pool
end

local function dead(w)
  local e = ag.create_engine("sqlite://")
  local conn = e:connect()
  w.closed_result = conn:exec_driver_sql("SELECT 1 AS a")
  w.closed_tx = conn:begin_nested()
  w.closed_tx:commit()
  w.closed_result:close()
  conn:close()
  w.closed_conn = conn
  e:dispose()
  w.disposed_engine = e
end

function M.new()
  local w = setmetatable({}, M)
  schema(w)
  values(w)
  if M.has_sql then sql(w) end
  engine(w)
  dead(w)
  if M.has_orm then orm(w) end
  return w
end

M.has_sql = pcall(function() return ag.select end)

M.has_orm = pcall(function() return ag.Session end)

function M:close()
  if self.session then pcall(self.session.close, self.session) end
  pcall(self.conn.close, self.conn)
  pcall(self.engine.dispose, self.engine)
  if self.orm_engine then pcall(self.orm_engine.dispose, self.orm_engine) end
end

--- The objects in a fixed order.
function M:list()
  local names = {}
  for name in pairs(self) do names[#names + 1] = name end
  table.sort(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = {name = name, value = self[name]} end
  return list
end

M.db = db
return M
