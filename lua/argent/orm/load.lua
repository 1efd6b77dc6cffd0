--- Loading after the fact: lazy loads on access, refresh of expired and deferred columns. Many objects at once: argent.orm.selectin.
local core = require "argent.core"
local class_of = require "argent.orm.class"
local events = require "argent.orm.events"
local execute_state = require "argent.orm.execute_state"
local query = require "argent.orm.query"

local M = {}

local ag
local function argent()
  ag = ag or require "argent"
  return ag
end

local function part(class) return core.orm_class_part(class, "info") end

--- With the relationship's order_by.
---@param stmt argent.Statement
---@param f argent.orm.RelationshipFacts
function M.ordered(stmt, f)
  local order = core.orm_order_by(f.class, f.key)
  if #order > 0 then stmt = stmt:order_by(table.unpack(order)) end
  return stmt
end

-- ── lazy ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function raise_error(f, what)
  core.exc_raise("InvalidRequestError", ("'%s.%s' is not available due to lazy='%s'"):format(f.name, f.key, what))
end

--- The SELECT of a lazy load, with bind parameters for the object's values: {stmt, names = {parameter → attribute}}.
local function lazy_statement(f)
  local entry = part(f.class).lazy_statements
  if not entry then
    entry = {}
    part(f.class).lazy_statements = entry
  end
  if entry[f.key] then return entry[f.key] end
  local comparators = require "argent.orm.comparators"
  local target = f.target
  local made = {names = {}}
  local stmt = argent().select(target)
  if f.spec.secondary then
    local secondary = f.spec.secondary
    local parent = argent().aliased(f.class)
    local first, second = comparators.conditions(f, parent, target, secondary)
    local pairs_ = {}
    for i, pair in ipairs((core.orm_pairs(f.class, f.key))) do
      made.names[("param_%d"):format(i)] = pair.source
      pairs_[i] = {parent[pair.source], argent().bindparam(("param_%d"):format(i), {type = secondary.c[pair.column].type})}
    end
    stmt = stmt:where(core.orm_adapt(first, pairs_), second)
    if f.made.self_referential then stmt = M.self_secondary(f, made) end
  elseif f.made.simple then
    for i, pair in ipairs((core.orm_pairs(f.class, f.key))) do
      local mine, theirs = pair.source, pair.dest
      if f.made.direction == "MANYTOONE" then mine, theirs = pair.dest, pair.source end
      local name = ("param_%d"):format(i)
      made.names[name] = mine
      stmt = stmt:where(target[theirs]:eq(argent().bindparam(name, {type = target[theirs].type})))
    end
  else
    local parent = argent().aliased(f.class)
    local on = comparators.conditions(f, parent, target)
    local pairs_ = {}
    for key in pairs(class_of.columns(f.class)) do
      local name = "param_" .. key
      made.names[name] = key
      pairs_[#pairs_ + 1] = {parent[key], argent().bindparam(name, {type = parent[key].type})}
    end
    stmt = stmt:where(core.orm_adapt(on, pairs_))
    made.optional = true
  end
  made.stmt = M.ordered(stmt, f)
  entry[f.key] = made
  return made
end

--- A self-referential many-to-many: the target is the class itself, the parent only its values.
---@param f argent.orm.RelationshipFacts
---@param made table
function M.self_secondary(f, made)
  local secondary, target = f.spec.secondary, f.target
  local mine, theirs = core.orm_pairs(f.class, f.key)
  local stmt = argent().select(target)
  for i, pair in ipairs(mine) do
    local name = ("param_%d"):format(i)
    made.names[name] = pair.source
    stmt = stmt:where(secondary.c[pair.column]:eq(argent().bindparam(name, {type = secondary.c[pair.column].type})))
  end
  for _, pair in ipairs(theirs) do stmt = stmt:where(target[pair.source]:eq(secondary.c[pair.column])) end
  return stmt
end

--- The values of the object for a lazy statement; nil when one is NULL (then nothing can match).
local function lazy_values(made, object)
  local params = {}
  for name, key in pairs(made.names) do
    local value = object[key]
    if value == nil then
      if not made.optional then return nil end
      value = argent().null
    end
    params[name] = value
  end
  return params
end

local function no_session(f)
  core.exc_raise("DetachedInstanceError", ("Parent instance <%s> is not bound to a Session; lazy load operation of attribute '%s' cannot "
    .. "proceed"):format(f.name, f.key))
end

--- do_orm_execute listeners see the load; what they do to the statement counts.
local function load_through_listeners(session, object, stmt, params)
  return execute_state.run(session, {statement = stmt, parameters = params, is_relationship_load = true, lazy_loaded_from = object},
    function(state)
      return query.execute(session, session:connection(), state.statement, state.parameters, {execution_options = state.execution_options})
    end):unique():scalars():all()
end

--- Load one relationship of one object.
---@param object argent.orm.Entity
---@param key string
---@param node table
function M.lazy(object, key, node)
  local class = core.orm_class_of(object)
  local f = query.shape(class).relations[key]
  local own = core.orm_object_option(object, key)
  local strategy = own or f.made.lazy
  if strategy == "noload" then return core.orm_set_loaded(object, key, f.made.uselist and {} or nil) end
  if strategy == "raise" then raise_error(f, "raise") end
  local _, session = core.orm_state(object)
  if session == nil then no_session(f) end
  local made = lazy_statement(f)
  local params = lazy_values(made, object)
  if not params then return core.orm_set_loaded(object, key, f.made.uselist and {} or nil) end
  if f.made.use_get and not node then
    local found = session:_identity_params(f.target, f.key, object)
    if found ~= nil then return core.orm_set_loaded(object, key, found) end
  end
  if strategy == "raise_on_sql" then raise_error(f, "raise_on_sql") end
  session:_autoflush()
  node = node or M.remembered(object, key)
  local members
  if execute_state.wanted(session) then
    members = load_through_listeners(session, object, made.stmt, params)
  else
    local sent, q = query.prepare_node(made.stmt, f.target, node, session:_criteria())
    members = query.load_items(session, q, session:connection():execute(sent, params))
  end
  if f.made.uselist then return core.orm_set_loaded(object, key, members) end
  if #members > 1 and not f.made.use_get then
    require "argent.warn"(("Multiple rows returned with uselist=False for lazily-loaded attribute '%s.%s'"):format(f.name, f.key))
  end
  core.orm_set_loaded(object, key, members[1])
end

--- Loader options below a relationship that is loaded later: kept with the objects.
---@param objects argent.orm.Entity[]
---@param key string
---@param node table
function M.remember(objects, key, node) core.orm_object_options(objects, key, node) end
--- Loader options that an object carries for its own loads.
---@param object argent.orm.Entity
---@param key string
function M.remembered(object, key)
  local own = core.orm_object_option(object, key)
  return type(own) == "table" and own or nil
end

-- ── refresh ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Which columns are read when `name` is wanted: what is expired, with a deferred one its group.
local function columns_to_load(object, class, name)
  local unloaded = {}
  for _, key in ipairs(core.orm_unloaded(object)) do unloaded[key] = true end
  local group
  local list = {}
  local slots = query.shape(class).slots
  for _, slot in ipairs(slots) do
    if slot.key == name then group = slot.deferred and slot.group > 0 and slot.group end
  end
  for _, slot in ipairs(slots) do
    local asked = slot.key == name or (group and slot.group == group)
    if unloaded[slot.key] and (asked or not slot.deferred) then list[#list + 1] = slot.key end
  end
  return list
end

--- SELECT of some columns of one object, kept by their names.
local function refresh_statement(class, names, for_update)
  local info = part(class)
  info.refresh_statements = info.refresh_statements or {}
  local id = table.concat(names, "\0")
  local made = not for_update and info.refresh_statements[id]
  if made then return made end
  local wanted, exprs, columns = {}, {}, {}
  for _, name in ipairs(names) do wanted[name] = true end
  local s = query.shape(class)
  for i, slot in ipairs(s.slots) do
    if wanted[slot.key] or slot.pk then
      exprs[#exprs + 1] = class[slot.key]
      columns[i] = #exprs
    else
      columns[i] = 0
    end
  end
  local stmt = argent().select(exprs)
  if s.tables > 1 then stmt = stmt:select_from(class) end
  for i, key in ipairs(s.pk) do
    stmt = stmt:where(class[key]:eq(argent().bindparam(("pk_%d"):format(i), {type = class[key].type})))
  end
  if for_update then stmt = stmt:with_for_update(for_update ~= true and for_update or nil) end
  local plan = core.orm_plan({{class = class, columns = columns}}, #exprs)
  made = {stmt = stmt, exprs = exprs, query = {plan = plan, names = {info.name}, visible = 1, post = {}}}
  if not for_update then info.refresh_statements[id] = made end
  return made
end

local function key_params(object)
  local params = {}
  for i, value in ipairs(table.pack(core.orm_key(object))) do params[("pk_%d"):format(i)] = value end
  return params
end
M.key_params = key_params

--- Read columns of an object again. overwrite: also those that are there.
---@param session argent.Session
---@param object argent.orm.Entity
---@param names string[]
---@param overwrite boolean?
---@param for_update any
function M.read(session, object, names, overwrite, for_update)
  local class = core.orm_class_of(object)
  local made = refresh_statement(class, names, for_update)
  local nrows
  local function go(state)
    local result = session:connection():execute(state.statement, state.parameters)
    local _, rows, _, loaded, refreshed = core.orm_load(session, result, made.query.plan, overwrite or false)
    nrows = rows
    if loaded then events.loaded(session, loaded) end
    if refreshed then events.refreshed(session, refreshed, names) end
    return core.orm_result({}, 0, {"refreshed"}, false)
  end
  local fields = {statement = made.stmt, parameters = key_params(object), is_column_load = true}
  if execute_state.wanted(session) then execute_state.run(session, fields, go) else go(fields) end
  if nrows == 0 then
    core.exc_raise("ObjectDeletedError", ("Instance '%s' has been deleted, or its row is otherwise not present."):format(tostring(object)))
  end
end

--- An expired or deferred column is wanted.
---@param object argent.orm.Entity
---@param name string
function M.refresh(object, name)
  local class = core.orm_class_of(object)
  local _, session = core.orm_state(object)
  local own = core.orm_object_option(object, name)
  if own == "raise" then
    core.exc_raise("InvalidRequestError", ("'%s.%s' is not available due to raiseload=True"):format(part(class).name, name))
  end
  if session == nil then
    core.exc_raise("DetachedInstanceError", ("Instance <%s> is not bound to a Session; attribute refresh operation cannot proceed")
      :format(part(class).name))
  end
  for _, slot in ipairs(query.shape(class).slots) do
    if slot.key == name and slot.raise and own == nil then
      core.exc_raise("InvalidRequestError", ("'%s.%s' is not available due to raiseload=True"):format(part(class).name, name))
    end
  end
  M.read(session, object, columns_to_load(object, class, name))
end

--- A flush needs a column of these objects, which have one class: one query for all.
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param name string
function M.column(session, objects, name) M.columns(session, objects, core.orm_class_of(objects[1]), {name}) end

--- Columns of many objects of a class, where they are not loaded: one query.
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param class argent.orm.Class
---@param names string[]
function M.columns(session, objects, class, names)
  local made = refresh_statement(class, names)
  local pk = query.shape(class).pk
  local columns, keys = {}, {}
  for i, key in ipairs(pk) do columns[i] = class[key] end
  for i, object in ipairs(objects) do
    if #pk == 1 then keys[i] = core.orm_key(object) else keys[i] = {core.orm_key(object)} end
  end
  local from = #pk == 1 and columns[1] or argent().tuple_(columns)
  local stmt = argent().select(made.exprs):where(core.orm_in_keys(from, keys))
  if query.shape(class).tables > 1 then stmt = stmt:select_from(class) end
  core.orm_load(session, session:connection():execute(stmt), made.query.plan, false)
end

--- A flush needs a relationship of these objects: one query for those that lack it.
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param key string
function M.relation(session, objects, key)
  local class = core.orm_class_of(objects[1])
  require("argent.orm.selectin").load(session, objects, query.shape(class).relations[key], nil, nil, {})
end

return M
