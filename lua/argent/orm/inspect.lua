--- ag.inspect of the ORM: an object's state, a class's mapper.
local core = require "argent.core"
local check = require "argent.check"
local class_of = require "argent.orm.class"
local query = require "argent.orm.query"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

-- ── mappers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.Mapper
---@field class argent.Class
---@field name string
---@field local_table argent.Table
---@field primary_key any[] columns
---@field columns table<string, any>
---@field relationships table<string, table>
---@field inherits argent.Mapper?
local Mapper = {__name = "argent.Mapper"}

local mapper_fields = {
  class_ = function(m) return m.class end,
  entity = function(m) return m.class end,
  local_table = function(m) return part(m.class).table end,
  primary_key = function(m) return class_of.key_columns(m.class) end,
  columns = function(m) return class_of.columns(m.class) end,
  c = function(m) return class_of.columns(m.class) end,
  inherits = function(m) return part(m.class).parent and M.mapper(part(m.class).parent) end,
  polymorphic_identity = function(m) return core.orm_class_facts(m.class).identity end,
  registry = function(m) return part(m.class).registry end,
  column_attrs = function(m)
    local out = {}
    for i, slot in ipairs(query.shape(m.class).slots) do out[i] = slot.key end
    return out
  end,
  attrs = function(m)
    local out = {}
    for _, slot in ipairs(query.shape(m.class).slots) do out[#out + 1] = slot.key end
    for _, key in ipairs(query.shape(m.class).relations) do out[#out + 1] = key end
    return out
  end,
  relationships = function(m)
    local out = {}
    for _, key in ipairs(query.shape(m.class).relations) do
      local f = query.shape(m.class).relations[key]
      out[key] = {key = key, direction = f.made.direction, uselist = f.made.uselist, target = f.target, secondary = f.spec.secondary,
        lazy = f.made.lazy, cascade = f.made.cascade, mapper = M.mapper(f.target), viewonly = f.made.viewonly or false}
    end
    return out
  end,
}
Mapper.__index = function(m, name)
  local field = mapper_fields[name]
  if field then return field(m) end
  local known = {class = true, name = true}
  for key in pairs(mapper_fields) do known[key] = true end
  return check.unknown("a mapper", "field", name, known)
end
Mapper.__tostring = function(m) return ("Mapper[%s(%s)]"):format(m.name, part(m.class).table.name) end

--- The mapper of a class: always the same object.
---@param class argent.orm.Class
function M.mapper(class)
  local info = part(class)
  info.mapper = info.mapper or setmetatable({class = class, name = info.name}, Mapper)
  return info.mapper
end

-- ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.History
---@field added any[]
---@field unchanged any[]
---@field deleted any[]
local History = {__name = "argent.History"}
History.__index = History

--- Was something added or deleted?
function History:has_changes() return #self.added > 0 or #self.deleted > 0 end

local function new_history(added, unchanged, deleted)
  return setmetatable({added = added, unchanged = unchanged, deleted = deleted}, History)
end

local function collection_history(now, old)
  local was, is = {}, {}
  for _, member in ipairs(old) do was[member] = true end
  local added, unchanged, deleted = {}, {}, {}
  for _, member in ipairs(now) do
    is[member] = true
    local list = was[member] and unchanged or added
    list[#list + 1] = member
  end
  for _, member in ipairs(old) do
    if not is[member] then deleted[#deleted + 1] = member end
  end
  return new_history(added, unchanged, deleted)
end

local function present(value)
  if value == nil then return {core.null} end
  return {value}
end

--- What happened to an attribute since the object was loaded or flushed. NULL is ag.null.
---@param object argent.orm.Entity
---@param key string
function M.history(object, key)
  local dirty, old, known = core.orm_history(object, key)
  local value, loaded = core.orm_get(object, key)
  if core.kind_of(value) == "collection" then
    local has_key = core.orm_key(object) ~= nil
    local members = value:all()
    if not dirty then return new_history(has_key and {} or members, has_key and members or {}, {}) end
    return collection_history(members, known and old or {})
  end
  if not dirty then
    if not loaded then return new_history({}, {}, {}) end
    local relation = query.shape(core.orm_class_of(object)).relations[key]
    if value == nil and (relation or core.orm_key(object) == nil) then return new_history({}, {}, {}) end
    return new_history({}, present(value), {})
  end
  if old == false then old = nil end
  if known and old == value then return new_history({}, present(value), {}) end
  return new_history(present(value), {}, known and present(old) or {})
end

-- ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.InstanceState
---@field transient boolean
---@field pending boolean
---@field persistent boolean
---@field deleted boolean
---@field detached boolean
---@field session argent.Session?
---@field mapper argent.Mapper
---@field identity any[]? primary key
---@field object any
---@field info table free for the application
---@field attrs table<string, {value: any, loaded_value: any, history: argent.History}>
---@field modified boolean
---@field unloaded string[]
local State = {__name = "argent.InstanceState"}

local function is(name)
  return function(s) return (core.orm_state(s.object)) == name end
end

local Attribute = {__name = "argent.AttributeState"}
Attribute.__index = function(a, name)
  if name == "value" then return a.object[a.key] end
  if name == "loaded_value" then return (core.orm_get(a.object, a.key)) end
  if name == "history" then return M.history(a.object, a.key) end
  return check.unknown("an attribute's state", "field", name, {value = true, loaded_value = true, history = true, key = true, object = true})
end

local function attrs(s)
  return setmetatable({}, {__index = function(_, key)
    core.orm_is_loaded(s.object, key) -- raises for an unknown name
    return setmetatable({object = s.object, key = key}, Attribute)
  end})
end

local state_fields = {
  transient = is "transient", pending = is "pending", persistent = is "persistent", deleted = is "deleted", detached = is "detached",
  session = function(s)
    local _, session = core.orm_state(s.object)
    return session
  end,
  was_deleted = function(s)
    local _, _, deleted = core.orm_state(s.object)
    return deleted
  end,
  mapper = function(s) return M.mapper(core.orm_class_of(s.object)) end,
  class = function(s) return core.orm_class_of(s.object) end,
  info = function(s) return core.orm_info(s.object) end,
  identity = function(s)
    local key = table.pack(core.orm_key(s.object))
    if key.n == 0 then return nil end
    key.n = nil
    return key
  end,
  has_identity = function(s) return core.orm_key(s.object) ~= nil end,
  attrs = attrs,
  unloaded = function(s)
    local list = core.orm_unloaded(s.object)
    for _, key in ipairs(query.shape(core.orm_class_of(s.object)).relations) do
      if not core.orm_is_loaded(s.object, key) then list[#list + 1] = key end
    end
    return list
  end,
  modified = function(s)
    local shape = query.shape(core.orm_class_of(s.object))
    for _, slot in ipairs(shape.slots) do
      if core.orm_history(s.object, slot.key) then return true end
    end
    for _, key in ipairs(shape.relations) do
      if core.orm_history(s.object, key) then return true end
    end
    return false
  end,
}
State.__index = function(s, name)
  local field = state_fields[name]
  if field then return field(s) end
  local known = {object = true}
  for key in pairs(state_fields) do known[key] = true end
  return check.unknown("an object's state", "field", name, known)
end

--- State of an object, mapper of a class, parts of an alias; nil: not the ORM's.
---@param target any
function M.inspect(target)
  local kind = core.kind_of(target)
  if kind == "entity" then return setmetatable({object = target}, State) end
  if kind == "Mapper" then return M.mapper(target) end
  if kind == "class alias" then
    local class, from, info = core.orm_alias_info(target)
    return {mapper = M.mapper(class), class = class, selectable = from, name = info.name, is_aliased_class = true}
  end
  if kind == "attribute" then
    local f = core.orm_attribute_info(target)
    return {key = f.key, class = f.class, target = f.target, direction = f.made.direction, uselist = f.made.uselist}
  end
  return nil
end

--- A plain table of an object's loaded columns.
---@param object argent.orm.Entity
function M.to_table(object)
  local out = {}
  for _, slot in ipairs(query.shape(core.orm_class_of(object)).slots) do
    local value, loaded = core.orm_get(object, slot.key)
    if loaded then out[slot.key] = value end
  end
  return out
end

return M
