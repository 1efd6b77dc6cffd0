--- Events of the schema: which objects and classes can be listened on, and before_parent_attach / after_parent_attach, which tell
--- that a table goes to its MetaData, a column, constraint or index to its table, a foreign key, sequence or type to its column.
local core = require "argent.core"
local event = require "argent.event"
local util = require "argent.schema.util"

local M = {}

--- Is anyone listening for attaching? Nothing is looked up as long as nobody is.
local attaching = false
--- Types that are listened on: the objects of equal types are the same one only as long as someone holds it.
M._kept = {}

--- The classes, by the functions that make their objects. Filled when it is asked for: these modules require this one.
local classes
local function class_names()
  if classes then return classes end
  local c, i = require "argent.schema.constraints", require "argent.schema.items"
  classes = {[require "argent.schema.table".Table] = "Table", [require "argent.schema.metadata".MetaData] = "MetaData",
    [require "argent.schema.column".Column] = "Column"}
  for _, name in ipairs{"PrimaryKeyConstraint", "UniqueConstraint", "ForeignKeyConstraint", "CheckConstraint", "ExcludeConstraint",
    "Index"} do
    classes[c[name]] = name
  end
  for _, name in ipairs{"ForeignKey", "Sequence", "Identity", "Computed", "FetchedValue", "DefaultClause", "ColumnDefault"} do
    classes[i[name]] = name
  end
  return classes
end

--- The class of a member of a schema: "Table", "Column", "UniqueConstraint" … and what ag calls the function that makes it.
local function class_of(target)
  local kind = core.kind_of(target)
  if kind == "Table" or kind == "MetaData" or kind == "Column" then return kind end
  if kind == "type" then return target.class_name end
  local class = util.class_of(target)
  return class and class.class_name
end

--- The function or plain type that stands for the class of a target, e.g. ag.Table.
local function class_target(target)
  local name = class_of(target)
  if core.kind_of(target) == "type" then
    local ok, plain = pcall(function() return require "argent"[name] end)
    return ok and plain ~= target and core.kind_of(plain) == "type" and plain or nil
  end
  for fn, class in pairs(class_names()) do
    if class == name then return fn end
  end
end

--- Tell the listeners of the class, then those of the object: fn(target, parent).
---@private
---@param name "before_parent_attach"|"after_parent_attach"
---@param target any
---@param parent any
function M._attach(name, target, parent)
  if not attaching then return end
  local class = class_target(target)
  local list = class and event.listeners(class, name)
  if list then event.call(list, target, parent) end
  list = event.listeners(target, name)
  if list then event.call(list, target, parent) end
end

--- A copy is listened on by those who asked for it with `propagate`.
---@private
function M._propagate(from, to)
  for name in pairs(M._events) do
    for _, listener in ipairs(event.listeners(from, name) or {}) do
      if listener.propagate and not listener.done then event.listen(to, name, listener.fn, {propagate = true}) end
    end
  end
end

local created, attached = {"target", "connection", "context"}, {"target", "parent"}
M._events = {before_create = created, after_create = created, before_drop = created, after_drop = created,
  column_reflect = {"inspector", "table", "column_info"}, before_parent_attach = attached, after_parent_attach = attached}

local function changed(target, name)
  if name ~= "before_parent_attach" and name ~= "after_parent_attach" then return end
  attaching = true
  if core.kind_of(target) == "type" then M._kept[target] = true end
end

local members = {Table = true, MetaData = true, Column = true, type = true}
event.register{
  name = "schema", events = M._events, changed = changed,
  match = function(target) return members[core.kind_of(target)] or util.class_of(target) ~= nil end,
}
event.register{
  name = "schema classes (ag.Table, ag.Column …)", events = M._events, changed = changed,
  match = function(target) return type(target) == "function" and class_names()[target] ~= nil end,
}

return M
