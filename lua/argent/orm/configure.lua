--- Configuration: when a class is first used, the relationships of all classes that wait are worked out: names are looked up,
--- join conditions found, both sides tied together (core.orm_relation, orm_link, orm_finish).
local core = require "argent.core"
local check = require "argent.check"
local keyed = require "argent.orm.keyed"
local elements = require "argent.orm.elements"

local M = {}

local function part(class) return core.orm_class_part(class, "info") end

-- ── options ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local cascades = {["save-update"] = true, merge = true, expunge = true, ["refresh-expire"] = true, delete = true,
  ["delete-orphan"] = true}

local function read_cascade(where, text, viewonly)
  local out = {}
  if text == nil then
    if not viewonly then out["save-update"], out.merge = true, true end
    return out
  end
  for item in text:gmatch("[^,]+") do -- Lua 5.5: a loop variable cannot be assigned
    local word = item:match("^%s*(.-)%s*$"):lower()
    if word == "all" then
      for name in pairs(cascades) do
        if name ~= "delete-orphan" then out[name] = true end
      end
    elseif cascades[word] then
      out[word] = true
    elseif word ~= "none" and word ~= "" then
      check.unknown(where, "cascade", word, cascades)
    end
  end
  if out["delete-orphan"] and not out.delete then
    core.exc_raise("ArgumentError", where .. ": the 'delete-orphan' cascade option requires 'delete'.")
  end
  if viewonly and (out["save-update"] or out.merge or out.delete or out["delete-orphan"]) then
    core.exc_raise("ArgumentError", where .. ": cascade settings of persistence operations should not be combined with a viewonly "
      .. "relationship")
  end
  return out
end

local lazies = {select = "select", ["true"] = "select", selectin = "selectin", joined = "joined", subquery = "subquery",
  immediate = "immediate", raise = "raise", raise_on_sql = "raise_on_sql", noload = "noload", ["nil"] = "select", write_only = "write_only",
  dynamic = "dynamic"}

local function read_lazy(where, value)
  if value == nil or value == true then return "select" end
  if value == false then return "joined" end
  return lazies[value] or check.unknown(where, "lazy strategy", value, lazies)
end

local function secondary_table(reg, where, value)
  if type(value) == "function" then value = value() end
  if type(value) == "string" then
    local table_ = reg.metadata.tables[value]
    if not table_ then
      local names = {}
      for name in pairs(reg.metadata.tables) do names[#names + 1] = tostring(name) end
      local near = core.nearest(value, names)
      core.exc_raise("InvalidRequestError", ("%s: secondary: there is no table '%s'%s"):format(where, value,
        near and ("; did you mean '%s'?"):format(near) or ""))
    end
    return table_
  end
  if value ~= nil and core.kind_of(value) ~= "Table" and core.kind_of(value) ~= "FROM clause" then
    core.exc_raise("ArgumentError", ("%s: secondary: expected a Table, got %s"):format(where, core.describe(value)))
  end
  return value
end

local function append_all(to, from)
  for _, item in ipairs(from) do to[#to + 1] = item end
  return to
end

--- The core's spec of a relationship.
local function relation_spec(class, entry)
  local info = part(class)
  local reg, o = info.registry, entry.element.options
  local where = ("relationship %s.%s"):format(info.name, entry.key)
  local primaryjoin, notes = reg:resolve(o.primaryjoin, where .. " primaryjoin")
  local secondaryjoin, notes2 = reg:resolve(o.secondaryjoin, where .. " secondaryjoin")
  local foreign, remote = reg:resolve_list(o.foreign_keys, where .. " foreign_keys"), reg:resolve_list(o.remote_side, where .. " remote_side")
  for _, n in ipairs{notes or false, notes2 or false} do
    if n and #n.foreign > 0 then foreign = append_all(foreign or {}, n.foreign) end
    if n and #n.remote > 0 then remote = append_all(remote or {}, n.remote) end
  end
  local collection = o.collection_class
  if collection ~= nil and collection ~= "list" and collection ~= "set" and not keyed.is(collection) then
    core.exc_raise("ArgumentError", ("%s: collection_class is \"list\", \"set\", ag.attribute_keyed_dict or ag.keyfunc_mapping, not %s"):format(where,
      core.describe(collection)))
  end
  return {
    key = entry.key, target = entry.target, secondary = secondary_table(reg, where, o.secondary),
    primaryjoin = primaryjoin, secondaryjoin = secondaryjoin, foreign_keys = foreign, remote_side = remote,
    order_by = reg:resolve_list(o.order_by ~= false and o.order_by or nil, where .. " order_by"),
    uselist = o.uselist, lazy = read_lazy(where, o.lazy), cascade = read_cascade(where, o.cascade, o.viewonly), viewonly = o.viewonly,
    passive_deletes = o.passive_deletes == true or o.passive_deletes == "all", passive_deletes_all = o.passive_deletes == "all",
    passive_updates = o.passive_updates ~= false, post_update = o.post_update, single_parent = o.single_parent,
    innerjoin = o.innerjoin, join_depth = o.join_depth, active_history = o.active_history,
    set = collection == "set", keyed = keyed.is(collection), keyed_by = collection, validate = entry.validate,
  }
end

-- ── targets and back references ─────────────────────────────────────────────────────────────────────────────────────────

local function find_target(class, entry)
  local info = part(class)
  local target = entry.element.target
  local where = ("relationship %s.%s"):format(info.name, entry.key)
  if type(target) == "function" then target = target() end
  if type(target) == "string" then target = info.registry:class(target, where) end
  if core.kind_of(target) ~= "Mapper" then
    core.exc_raise("ArgumentError", ("%s expects a class, got %s"):format(where, core.describe(target)))
  end
  entry.target = target
end

--- backref = "name" or {"name", options}: the other side as an element of the target class.
local function add_backref(class, entry)
  local o = entry.element.options
  if o.backref == nil then return end
  local name = type(o.backref) == "table" and o.backref[1] or o.backref
  local given = type(o.backref) == "table" and o.backref[2] or {}
  local where = ("relationship %s.%s: backref"):format(part(class).name, entry.key)
  check.type(where, 1, name, "string")
  local target = part(entry.target)
  if target.relationship_by_name[name] or target.columns[name] then
    core.exc_raise("ArgumentError", ("Error creating backref '%s' on relationship '%s.%s': property of that name exists on class '%s'")
      :format(name, part(class).name, entry.key, target.name))
  end
  local options = {back_populates = entry.key, secondary = o.secondary, foreign_keys = o.foreign_keys, viewonly = o.viewonly,
    passive_updates = o.passive_updates, post_update = o.post_update}
  if o.secondary then
    options.primaryjoin, options.secondaryjoin = o.secondaryjoin, o.primaryjoin
  else
    options.primaryjoin = o.primaryjoin
    local remote = o.remote_side
    if entry.target == class and remote == nil then entry.backref_remote = true end
  end
  for key, value in pairs(given) do options[key] = value end
  local other = {key = name, element = elements.relationship(class, options), target = class}
  entry.back_populates = name
  target.relationships[#target.relationships + 1] = other
  target.relationship_by_name[name] = other.element
end

-- ── one round ───────────────────────────────────────────────────────────────────────────────────────────────────────────

local function is_self_referential(class, entry) return entry.target == class end

--- A self-referential pair made by backref: one side is remote on the key; with neither said, the backref is the many-to-one.
local function settle_remote(class, entry, spec)
  local other = entry.back_populates or entry.element.options.back_populates
  if not is_self_referential(class, entry) or spec.secondary or spec.remote_side or not other then return end
  local own = part(class)
  local sibling
  for _, item in ipairs(own.relationships) do
    if item.key == other then sibling = item end
  end
  if sibling and sibling.made and sibling.made.direction == "ONETOMANY" then spec.remote_side = require("argent.orm.class").key_columns(class) end
end

local function add_relations(class)
  local info = part(class)
  for _, entry in ipairs(info.relationships) do
    local spec = relation_spec(class, entry)
    settle_remote(class, entry, spec)
    entry.spec = spec
    entry.made = core.orm_relation(class, spec)
    entry.made.lazy = spec.lazy
    entry.made.innerjoin = spec.innerjoin
    entry.made.viewonly = spec.viewonly
    entry.made.cascade = spec.cascade
  end
end

--- The relationship of that name on the class or one of its parents.
local function find_relationship(class, name)
  local at = class
  while at do
    local info = part(at)
    for _, entry in ipairs(info.relationships) do
      if entry.key == name then return at, entry end
    end
    at = info.parent
  end
end

local function link_sides(class)
  local info = part(class)
  for _, entry in ipairs(info.relationships) do
    local other = entry.back_populates or entry.element.options.back_populates
    if other then
      local owner, found = find_relationship(entry.target, other)
      if not found then
        local names = {}
        for name in pairs(part(entry.target).relationship_by_name) do names[#names + 1] = name end
        local near = core.nearest(other, names)
        core.exc_raise("InvalidRequestError", ("relationship %s.%s: back_populates: class %s has no relationship '%s'%s"):format(info.name,
          entry.key, part(entry.target).name, other, near and ("; did you mean '%s'?"):format(near) or ""))
      end
      if not (entry.spec.viewonly or found.spec.viewonly) then
        core.orm_link(class, entry.key, owner, found.key)
        entry.made.reverse = entry.made.reverse or {}
        entry.made.reverse[found.key] = true
        found.made.reverse = found.made.reverse or {}
        found.made.reverse[entry.key] = true
      end
    end
  end
end

local function depth_of(class)
  local n, info = 0, part(class)
  while info.parent do n, info = n + 1, part(info.parent) end
  return n
end

local function round(reg)
  local classes = reg.pending
  reg.pending = {}
  table.sort(classes, function(a, b)
    local x, y = depth_of(a), depth_of(b)
    if x ~= y then return x < y end
    return part(a).number < part(b).number
  end)
  for _, class in ipairs(classes) do
    for _, entry in ipairs(part(class).relationships) do find_target(class, entry) end
  end
  for _, class in ipairs(classes) do
    for _, entry in ipairs(table.move(part(class).relationships, 1, #part(class).relationships, 1, {})) do add_backref(class, entry) end
  end
  for _, class in ipairs(classes) do add_relations(class) end
  for _, class in ipairs(classes) do link_sides(class) end
  for _, class in ipairs(classes) do
    core.orm_finish(class)
    part(class).configured = true
    require("argent.orm.attribute_events").mark(class)
    require("argent.orm.events").mark(class)
  end
end

--- Configure every class of the registry that is not yet. After a failure the same classes fail again with the same message.
---@param reg table
function M.registry(reg)
  if #reg.pending == 0 then return end
  if reg.failed then core.exc_raise("InvalidRequestError", reg.failed) end
  if reg.configuring then return end
  reg.configuring = true
  for i, class in ipairs(reg.list) do part(class).number = i end
  local ok, err = pcall(round, reg)
  reg.configuring = false
  if ok then return M.registry(reg) end
  reg.failed = ("One or more mappers failed to initialize - can't proceed with initialization of other mappers. Original error was: %s")
    :format(type(err) == "table" and err.message or tostring(err))
  reg.pending = {false} -- not empty: the next use raises again
  error(err, 0)
end

--- Configure what the class needs.
---@param class argent.orm.Class
function M.class(class)
  M.registry(part(class).registry)
end

return M
