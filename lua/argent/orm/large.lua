--- Large collections: lazy = "write_only" and "dynamic". They are never loaded; members are added and removed without it, and read by
--- statements.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

local ag
local function argent()
  ag = ag or require "argent"
  return ag
end

---@class argent.WriteOnlyCollection
local WriteOnly = {__name = "argent.WriteOnlyCollection"}
WriteOnly.__index = WriteOnly

---@class argent.DynamicCollection: argent.WriteOnlyCollection
local Dynamic = setmetatable({__name = "argent.DynamicCollection"}, {__index = WriteOnly})
Dynamic.__index = Dynamic

local function facts(self) return require("argent.orm.query").shape(core.orm_class_of(self.object)).relations[self.key] end

--- SELECT of the members, in the relationship's order; conditions, order and limits may be added.
---
---     session:scalars(account.transactions:select():where(Transaction.amount:gt(100)):limit(10))
---@return argent.Select
function WriteOnly:select()
  local f = facts(self)
  if core.orm_key(self.object) == nil then
    core.exc_raise("InvalidRequestError", ("%s.%s: the object has no row yet: flush it first"):format(f.name, f.key))
  end
  local stmt = argent().select(f.target)
  if f.spec.secondary then
    local _, second = require("argent.orm.comparators").conditions(f, f.class, f.target, f.spec.secondary)
    stmt = stmt:join_from(f.spec.secondary, f.target, second)
    for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do
      stmt = stmt:where(f.spec.secondary.c[pair.column]:eq(self.object[pair.source]))
    end
  else
    for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do stmt = stmt:where(f.target[pair.dest]:eq(self.object[pair.source])) end
  end
  return require("argent.orm.load").ordered(stmt, f)
end

--- INSERT of members in bulk: session:execute(account.transactions:insert(), rows). The rows get the key of the owner.
---@return argent.Insert
function WriteOnly:insert()
  local f = facts(self)
  if f.spec.secondary then
    core.exc_raise("InvalidRequestError", ("%s.%s: rows of a many-to-many relationship cannot be inserted in bulk"):format(f.name, f.key))
  end
  local values = {}
  for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do
    values[f.target[pair.dest].key] = argent().bindparam(pair.dest, {value = self.object[pair.source], type = f.target[pair.dest].type})
  end
  return argent().insert(f.target):values(values)
end

local function criteria(self, stmt)
  local f = facts(self)
  if f.spec.secondary then
    core.exc_raise("InvalidRequestError", ("%s.%s: use select() for a many-to-many relationship"):format(f.name, f.key))
  end
  for _, pair in ipairs((core.orm_pairs(f.class, f.key))) do stmt = stmt:where(f.target[pair.dest]:eq(self.object[pair.source])) end
  return stmt
end

--- UPDATE of the members' rows.
---@return argent.Update
function WriteOnly:update() return criteria(self, argent().update(facts(self).target)) end

--- DELETE of the members' rows.
---@return argent.Delete
function WriteOnly:delete() return criteria(self, argent().delete(facts(self).target)) end

--- Add a member; nothing is loaded.
---@param member any
function WriteOnly:add(member) core.orm_queue(self.object, self.key):append(member) end
WriteOnly.append = WriteOnly.add

--- Add several members.
---@param members any[]
function WriteOnly:add_all(members)
  check.type("add_all", 1, members, "table")
  for _, member in ipairs(members) do self:add(member) end
end
WriteOnly.extend = WriteOnly.add_all

--- Take a member out.
---@param member any
function WriteOnly:remove(member) core.orm_queue(self.object, self.key):remove(member) end

function WriteOnly.__len(self)
  local f = facts(self)
  core.exc_raise("InvalidRequestError", ("%s.%s is a write_only collection: it is never loaded; read it by its select()"):format(f.name, f.key))
end

-- ── dynamic ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function session_of(self)
  local _, session = core.orm_state(self.object)
  if session == nil then
    local f = facts(self)
    core.exc_raise("DetachedInstanceError", ("Parent instance <%s> is not bound to a Session; '%s' cannot be read"):format(f.name, f.key))
  end
  return session
end

local function statement(self) return self.stmt or self:select() end
local function with(self, stmt) return setmetatable({object = self.object, key = self.key, stmt = stmt}, Dynamic) end

for _, name in ipairs{"where", "filter_by", "order_by", "limit", "offset", "options"} do
  Dynamic[name] = function(self, ...)
    local stmt = statement(self)
    return with(self, stmt[name](stmt, ...))
  end
end
Dynamic.filter = Dynamic.where

--- The members that match, as an array.
---@return any[]
function Dynamic:all() return session_of(self):scalars(statement(self)):unique():all() end
--- The first member; nil when there is none.
function Dynamic:first() return session_of(self):scalars(statement(self):limit(1)):first() end
--- The only member.
function Dynamic:one() return session_of(self):scalars(statement(self)):one() end
--- The only member, or nil.
function Dynamic:one_or_none() return session_of(self):scalars(statement(self)):one_or_none() end
--- How many match.
---@return integer
function Dynamic:count()
  return session_of(self):scalar(argent().select(argent().func.count()):select_from(statement(self):order_by(nil):subquery()))
end
--- for member in user.posts:each() do
function Dynamic:each()
  local list, i = self:all(), 0
  return function()
    i = i + 1
    return list[i]
  end
end
function Dynamic.__len(self) return self:count() end

--- What reading such an attribute of an object with a row gives.
---@param object argent.orm.Entity
---@param key string
---@return argent.WriteOnlyCollection
function M.collection(object, key)
  local f = require("argent.orm.query").shape(core.orm_class_of(object)).relations[key]
  return setmetatable({object = object, key = key}, f.made.lazy == "dynamic" and Dynamic or WriteOnly)
end

return M
