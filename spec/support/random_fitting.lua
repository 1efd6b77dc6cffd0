--- Arguments that fit a parameter's name, for spec/support/random_calls.lua: calls of nothing but nonsense end at the first check.
local ag = require "argent"
local hostile = require "spec.support.random_hostile"

local M = {}

local function of_world(...)
  local names = {...}
  return function(g) return g.world[g.choice(names)] end
end

local statement = function(g)
  local w = g.world
  return g.choice{
    function() return w.select end, function() return w.compound end, function() return ag.select(w.t) end,
    function() return ag.select(w.User) end, function() return ag.select(w.User, w.Pet):join(w.User.pets) end,
    function() return ag.insert(w.t):values{name = "n"} end, function() return ag.insert(w.User) end,
    function() return ag.insert(w.t):values{name = "n"}:returning(w.t.c.id) end,
    function() return ag.update(w.t):where(w.t.c.id:eq(1)):values{name = "m"} end, function() return ag.delete(w.t):where(w.t.c.id:eq(9)) end,
    function() return ag.update(w.User):where(w.User.id:eq(1)):values{name = "m"} end,
    function() return ag.delete(w.Pet):where(w.Pet.id:gt(1000)) end, function() return w.text end, function() return w.text_columns end,
    function() return ag.select(ag.literal(g.random(9))) end, function() return ag.select(w.User):options(ag.joinedload(w.User.pets)) end,
    function() return ag.select(w.User):options(ag.selectinload(w.User.pets)) end, function() return ag.text "select :x as a" end,
  }()
end

local column = function(g)
  local w = g.world
  return g.choice{w.n, w.t.c.id, w.users.c.age, w.users.c.name, w.User.name, w.User.id, w.expr, w.label, w.func, w.bind, w.condition}
end

local object = function(g)
  local w = g.world
  return g.choice{
    function() return w.user end, function() return w.detached end, function() return w.User{name = "u"} end, function() return w.Pet{} end,
    function() return w.user.pets[1] end, function() return w.Pet{owner = w.user} end, function() return w.User{id = g.random(5)} end,
  }()
end

local text = function(g)
  return g.choice{"id", "name", "users", "a", "x", "select 1 as a", "sqlite", "pets", g.option(), "before_flush", "begin", "load", "set", "1.5"}
end

local row = function(g)
  return g.choice{
    function() return {id = g.random(50),
  name = "r"} end, function() return {name = "r"} end, function() return {{name = "a"}, {name = "b"}} end,
    function() return {} end, function() return {x = 1} end, function() return {1, "a"} end,
  }()
end

local options = function(g)
  if g.random(3) == 1 then return nil end
  local t = {}
  for _ = 1, g.random(2) do t[g.option()] = g.random(2) == 1 and M.any(g) or g.choice{true, false, 1, 0, "x", "all"} end
  return t
end

local value = function(g)
  return g.choice{1, 0, -3, 2.5, "v", true, ag.null, column(g), g.world.date, g.world.decimal, {1, 2}, statement(g)}
end

local fn = function(g) return hostile.fn(g) end
local integer = function(g) return g.choice{0, 1, 2, 3, 10, -1} end
local sql_type = function(g) return g.choice{ag.Integer, ag.Text, ag.String(5), ag.JSON, ag.Date, g.world.enum_type, ag.LargeBinary} end
local class = of_world("User", "Pet")

--- By the parameter's name; "" is what any other name gets.
M.by_name = {
  statement = statement, stmt = statement, select = statement, query = statement, selectable = statement,
  from = of_world("t", "users", "alias", "join"),
  column = column, columns = column, expression = column, element = column, node = column, onclause = of_world("condition"),
  attribute = of_world("attribute", "relationship"), relation = of_world("relationship"), object = object,
  objects = function(g) return {object(g)} end,
  member = object, members = function(g) return {object(g), value(g)} end, class = class, classes = function(g) return {class(g)} end,
  name = text, text = text, sql = text, sqltext = text, key = text, keys = function(g) return {text(g)} end,
  names = function(g) return {text(g)} end,
  schema = text, pattern = text, xid = text, token = text, parameters = row, params = row, values = row, row = row,
  data = row, spec = options,
  definition = options, options = options, o = options, info = options, fn = fn, callback = fn, conn = of_world("conn", "engine"),
  bind = of_world("conn", "engine", "orm_engine"), engine = of_world("engine"), session = of_world("session"),
  table = of_world("t", "users", "posts"),
  tab = of_world("t", "users"), metadata = of_world("metadata"), type = sql_type,
  url = function(g) return g.choice{"sqlite://", g.world.url} end,
  target = of_world("engine", "conn", "session", "User", "pool", "attribute", "relationship", "users", "metadata"),
  n = integer, start = integer,
  stop = integer, limit = integer, index = integer, size = integer, ident = integer, precision = integer, scale = integer,
  value = value, other = value,
  left = value, right = value, constraint = of_world("constraint"), result = of_world("result", "frozen", "scalars"),
  deadline = integer, t = row,
  dialect = function(g) return g.choice{"sqlite", "postgresql"} end, [""] = value,
}

--- Something of a random name.
function M.any(g)
  return g.choice{value, column, text, row, object, integer, statement}(g)
end

local function arguments(g, params, wrong)
  local list, n = {}, 0
  for i, param in ipairs(params) do
    local repeated = param == "..." and g.random(3) or 1
    for _ = 1, repeated do
      n = n + 1
      if i == wrong then list[n] = hostile.any(g)
      elseif param == "..." then list[n] = g.choice{column, value, class, text}(g)
      else list[n] = (M.by_name[param] or M.by_name[""])(g) end
    end
  end
  return table.unpack(list, 1, n)
end

--- Arguments for parameters of these names, now and then with something hostile among them.
---@param g table
---@param params string[]
function M.arguments(g, params)
  return arguments(g, params, g.random(3) == 1 and g.random(#params + 1) or 0)
end

--- The same with nothing hostile.
---@param g table
---@param params string[]
function M.right(g, params) return arguments(g, params, 0) end

return M
