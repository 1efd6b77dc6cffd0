--- INSERT, UPDATE, DELETE through a session: session:execute(ag.insert(User), rows), ag.update(User), ag.delete(User). Objects in the session
--- follow: after an UPDATE what it set is expired on those whose rows matched, after a DELETE those that were deleted are gone.
local core = require "argent.core"
local check = require "argent.check"
local configure = require "argent.orm.configure"
local query = require "argent.orm.query"

local M = {}

--- The class whose table a statement writes, nil for plain tables.
local function class_of_statement(statement) return core.orm_dml_class(statement) end

local function sync_mode(statement, options)
  local own = statement:get_execution_options() or {}
  local mode = options.execution_options and options.execution_options.synchronize_session
  if mode == nil then mode = own.synchronize_session end
  if mode == nil then mode = "auto" end
  return mode
end

--- Objects of the class that the session holds.
local function held(session, class)
  local out = {}
  for _, object in ipairs(session:_persistent()) do
    if core.orm_isa(core.orm_class_of(object), class) then out[#out + 1] = object end
  end
  return out
end

--- Which held objects does the statement's WHERE select? By primary key, before it runs.
local function selected(session, conn, class, statement, params)
  local objects = held(session, class)
  if #objects == 0 then return objects end
  local ag = require "argent"
  local pk = query.shape(class).pk
  local columns = {}
  for i, key in ipairs(pk) do columns[i] = class[key] end
  local stmt = core.orm_dml_where(statement, ag.select(columns))
  local hit = {}
  for row in conn:execute(stmt, params):rows() do
    local object = session:_identity(class, ag.unpack(row))
    if object ~= nil then hit[#hit + 1] = object end
  end
  return hit
end

--- RETURNING classes: rows become objects.
local function returning(session, conn, statement, params, call)
  return query.load(session, query.returning(statement), conn:execute(statement, params, call), true)
end

--- Attributes (of the class) that an UPDATE sets.
local function attributes_set(class, statement)
  local names = {}
  for _, name in ipairs(core.orm_dml_columns(statement)) do
    for _, slot in ipairs(core.orm_class_part(class, "info").slots) do
      if slot.column and slot.column.name == name then names[#names + 1] = slot.key end
    end
  end
  return names
end

--- After an UPDATE: the objects whose rows matched read what was set anew; columns with onupdate likewise.
local function expire_set(session, class, objects, names)
  if #names == 0 then names = nil end
  for _, slot in ipairs(names and core.orm_class_part(class, "info").slots or {}) do
    if slot.column and (slot.column.onupdate ~= nil or slot.column.server_onupdate ~= nil) then names[#names + 1] = slot.key end
  end
  for _, object in ipairs(objects) do session:expire(object, names) end
end

local modes = {auto = true, evaluate = true, fetch = true, ["false"] = false}

local function check_mode(mode)
  if mode == false then return false end
  if modes[mode] == nil then check.unknown("synchronize_session", "mode", tostring(mode), modes) end
  return modes[mode]
end

--- after_bulk_update / after_bulk_delete
local function tell(session, name, statement, result)
  local events = require "argent.orm.events"
  events.emit(session, name, {session = session, statement = statement, result = result, rowcount = result.rowcount,
    mapper = class_of_statement(statement).__mapper})
  return result
end

--- UPDATE or DELETE with a WHERE. The objects it concerns are found by their keys before it runs ("fetch"; "auto" and "evaluate" do the
--- same: nothing is evaluated in Lua).
local function with_criteria(session, conn, class, statement, params, mode, call)
  local kind = core.kind_of(statement)
  local hit = mode and selected(session, conn, class, statement, params) or {}
  local result = conn:execute(statement, params, call)
  if kind == "Delete" then
    for _, object in ipairs(hit) do session:_gone(object) end
  else
    expire_set(session, class, hit, attributes_set(class, statement))
  end
  return tell(session, kind == "Delete" and "after_bulk_delete" or "after_bulk_update", statement, result)
end

--- Bulk UPDATE by primary key: session:execute(ag.update(User), {{id = 1, name = "x"}, …}). Rows of the same keys go together.
local function by_primary_key(session, conn, class, statement, rows, mode, call)
  local ag = require "argent"
  local pk, groups, order, hit = query.shape(class).pk, {}, {}, {}
  local info = core.orm_class_part(class, "info")
  for i, row in ipairs(rows) do
    local names, values, ident = {}, {}, {}
    for _, slot in ipairs(info.slots) do
      if slot.column and row[slot.key] ~= nil then names[#names + 1] = slot.key end
    end
    for name, value in pairs(row) do
      if info.columns[name] == nil then check.unknown("bulk UPDATE by primary key", "attribute", name, info.columns) end
      values["b_" .. name] = value
    end
    for k, key in ipairs(pk) do
      if row[key] == nil then
        core.exc_raise("InvalidRequestError", ("No primary key value supplied for column(s) %s of row %d; per-row ORM Bulk UPDATE by Primary Key "
          .. "requires that records contain primary key values"):format(key, i))
      end
      ident[k] = row[key]
    end
    local id = table.concat(names, "\0")
    if not groups[id] then
      groups[id] = {names = names, rows = {}}
      order[#order + 1] = groups[id]
    end
    table.insert(groups[id].rows, values)
    local object = mode and session:_identity(class, table.unpack(ident, 1, #pk))
    if object ~= nil and object then hit[#hit + 1] = {object, names} end
  end
  local is_key = {}
  for _, key in ipairs(pk) do is_key[key] = true end
  local total, result = 0, nil
  for _, group in ipairs(order) do
    local stmt, set = statement, {}
    for _, name in ipairs(group.names) do
      local bind = ag.bindparam("b_" .. name, {type = info.columns[name].type})
      if is_key[name] then stmt = stmt:where(class[name]:eq(bind)) else set[info.columns[name].key] = bind end
    end
    if next(set) then
      result = conn:execute(stmt:values(set), group.rows, call)
      total = total + math.max(result.rowcount, 0)
    end
  end
  if total < #rows and #order > 0 then
    core.exc_raise("StaleDataError", ("UPDATE statement on table '%s' expected to update %d row(s); %d were matched."):format(info.table.name, #rows,
      total))
  end
  for _, item in ipairs(hit) do
    local names = {}
    for _, name in ipairs(item[2]) do
      if not is_key[name] then names[#names + 1] = name end
    end
    if names[1] then session:expire(item[1], names) end
  end
  return result
end

--- Execute a statement of the ORM on the session's connection.
---@param session argent.Session
---@param conn argent.Connection
---@param statement argent.Statement
---@param params table?
---@param options table?
function M.execute(session, conn, statement, params, options)
  local class = class_of_statement(statement)
  local info = session:_info()
  info.wrote = true
  local kind = core.kind_of(statement)
  local call = options.execution_options and {execution_options = options.execution_options}
  if not class then return conn:execute(statement, params, call) end
  configure.class(class)
  local mode = check_mode(sync_mode(statement, options))
  if kind == "Update" and type(params) == "table" and type(params[1]) == "table" then
    return by_primary_key(session, conn, class, statement, params, mode, call)
  end
  if core.orm_has_classes(statement) then return returning(session, conn, statement, M.rows(class, params), call) end
  if kind == "Insert" then return conn:execute(statement, M.rows(class, params), call) end
  return with_criteria(session, conn, class, statement, params, mode, call)
end

--- Rows by attribute name as rows by column name.
---@param class argent.orm.Class
---@param params table?
function M.rows(class, params)
  if params == nil then return nil end
  local info = core.orm_class_part(class, "info")
  local rename
  for _, slot in ipairs(info.slots) do
    if slot.column and slot.column.key ~= slot.key then
      rename = rename or {}
      rename[slot.key] = slot.column.key
    end
  end
  if not rename then return params end
  local function one(row)
    local out = {}
    for key, value in pairs(row) do out[rename[key] or key] = value end
    return out
  end
  if params[1] == nil then return one(params) end
  local out = {}
  for i, row in ipairs(params) do out[i] = one(row) end
  return out
end

return M
