--- INSERT, UPDATE, DELETE through a session: session:execute(ag.insert(User), rows), ag.update(User), ag.delete(User). Objects in the session
--- follow: after an UPDATE those of the class are expired, after a DELETE those that were deleted are detached.
local core = require "argent.core"
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
  if core.orm_has_classes(statement) then return returning(session, conn, statement, M.rows(class, params), call) end
  if kind == "Insert" then return conn:execute(statement, M.rows(class, params), call) end
  local mode = sync_mode(statement, options)
  if mode == false or mode == "false" then return conn:execute(statement, params, call) end
  local hit = kind == "Delete" and selected(session, conn, class, statement, params) or nil
  local result = conn:execute(statement, params, call)
  if hit then
    for _, object in ipairs(hit) do session:_gone(object) end
  else
    for _, object in ipairs(held(session, class)) do session:expire(object) end
  end
  return result
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
