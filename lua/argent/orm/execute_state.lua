--- do_orm_execute: listeners see every statement of a session before it runs, lazy loads included. They may change statement, parameters
--- and options, run it themselves (invoke_statement), or give a Result in its place.
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"

local M = {}

---@class argent.ORMExecuteState
---@field session argent.Session
---@field statement any
---@field parameters table?
---@field execution_options table
---@field is_select boolean
---@field is_insert boolean
---@field is_update boolean
---@field is_delete boolean
---@field is_orm_statement boolean does it name classes?
---@field is_executemany boolean
---@field is_relationship_load boolean a lazy or eager load of a relationship
---@field is_column_load boolean a refresh, or a deferred column
---@field bind_mapper argent.Mapper? of the first class
---@field all_mappers argent.Mapper[]
---@field user_defined_options any[]
local State = {}
State.__index = State
State.__name = "argent.ORMExecuteState"

local function mappers(statement)
  local out = {}
  local kind = core.kind_of(statement)
  if kind == "Insert" or kind == "Update" or kind == "Delete" then
    local class = core.orm_dml_class(statement)
    if class then out[1] = class.__mapper end
  elseif kind == "Select" and core.orm_has_classes(statement) then
    for _, item in ipairs((core.orm_select_items(statement))) do
      local class = core.kind_of(item) == "class alias" and (core.orm_alias_info(item)) or item
      if core.kind_of(class) == "Mapper" then out[#out + 1] = class.__mapper end
    end
  end
  return out
end

local function describe(state)
  local kind = core.kind_of(state.statement)
  state.is_select = kind == "Select" or kind == "CompoundSelect"
  state.is_insert, state.is_update, state.is_delete = kind == "Insert", kind == "Update", kind == "Delete"
  state.all_mappers = mappers(state.statement)
  state.bind_mapper = state.all_mappers[1]
  state.is_orm_statement = state.bind_mapper ~= nil
  state.is_executemany = type(state.parameters) == "table" and type(state.parameters[1]) == "table"
  state.user_defined_options = (kind == "Select" and core.orm_options(state.statement)) or {}
  return state
end

--- Change execution options of the statement.
---@param options table
function State:update_execution_options(options)
  check.type("ORMExecuteState:update_execution_options", 1, options, "table")
  for name, value in pairs(options) do self.execution_options[name] = value end
end

local function go_on(state, at)
  for i = at, #state._listeners do
    state._at = i
    local result = state._listeners[i](state)
    if core.kind_of(result) == "Result" then return result end
  end
  return state._go(state)
end

--- Run the statement now, after the listeners that come behind this one; the listener may look at the Result, and gives it (or another)
--- back.
---@param options? {statement: any, params: table?, execution_options: table?}
---@return argent.Result
function State:invoke_statement(options)
  options = check.options("ORMExecuteState:invoke_statement", 1, options, {statement = true, params = "table", execution_options = "table"})
  local other = {}
  for key, value in pairs(self) do other[key] = value end
  other.statement = options.statement or self.statement
  other.parameters = options.params or self.parameters
  other.execution_options = {}
  for _, from in ipairs{self.execution_options, options.execution_options or {}} do
    for name, value in pairs(from) do other.execution_options[name] = value end
  end
  return go_on(describe(setmetatable(other, State)), self._at + 1)
end

--- Does anybody listen?
---@param session argent.Session
function M.wanted(session) return #events.session_listeners(session, "do_orm_execute") > 0 end

--- Run listeners, then go(state), which gives a Result.
---@param session argent.Session
---@param fields table statement, parameters, execution_options, is_relationship_load …
---@param go fun(state: argent.ORMExecuteState): argent.Result
function M.run(session, fields, go)
  local list = {}
  for _, listeners in ipairs(events.session_listeners(session, "do_orm_execute")) do
    for _, listener in ipairs(listeners) do
      list[#list + 1] = function(state)
        if listener.done then return nil end
        if listener.once then listener.done = true end
        return listener.call(state)
      end
    end
  end
  local options = {}
  for name, value in pairs(fields.execution_options or {}) do options[name] = value end
  local state = {session = session, statement = fields.statement, parameters = fields.parameters, execution_options = options,
    is_relationship_load = fields.is_relationship_load or false, is_column_load = fields.is_column_load or false,
    lazy_loaded_from = fields.lazy_loaded_from, _listeners = list, _go = go, _at = 0}
  return go_on(describe(setmetatable(state, State)), 1)
end

return M
