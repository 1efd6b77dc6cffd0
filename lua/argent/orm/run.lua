--- Running statements with classes: rows of a database result become objects, at once or window by window. The functions belong to
--- argent.orm.query, which makes the statements.
local core = require "argent.core"

local M = require "argent.orm.query"

local function names_for(query, result)
  local out, keys = {}, nil
  for i, name in ipairs(query.names) do
    if type(name) == "string" then
      out[i] = name
    else
      keys = keys or result:keys()
      out[i] = keys[name.column]
    end
  end
  return out
end

--- Load what the query wants besides its rows.
local function load_more(session, query, collected)
  local load = require "argent.orm.load"
  for _, post in ipairs(query.post) do
    local objects = collected and collected[post.item]
    if objects then
      if post.poly then
        require("argent.orm.polymorphic").load(session, objects, post.base, post.poly)
      elseif post.raise_columns then
        for key in pairs(post.raise_columns) do core.orm_object_options(objects, key, "raise") end
      elseif post.strategy then
        core.orm_object_options(objects, post.key, post.strategy)
      elseif post.nested then
        load.remember(objects, post.key, post.nested)
      else
        require("argent.orm.selectin").load(session, objects, post.facts, post.node, query.options, post.path)
      end
    end
  end
end

--- "load" and "refresh" events.
---@param session argent.Session
---@param loaded any[]?
---@param refreshed any[]?
function M.tell(session, loaded, refreshed)
  local events = require "argent.orm.events"
  events.loaded(session, loaded)
  events.refreshed(session, refreshed)
end

--- Rows of a database result as objects: a Result.
---@param session argent.Session
---@param query table
---@param result argent.Result
---@param populate boolean?
function M.load(session, query, result, populate)
  local names = names_for(query, result)
  local items, nrows, collected, loaded, refreshed = core.orm_load(session, result, query.plan, populate or false)
  if query.post[1] then load_more(session, query, collected) end
  if loaded or refreshed then M.tell(session, loaded, refreshed) end
  return core.orm_result(items, nrows, names, query.unique or false)
end

--- The same window by window, as the rows are read: yield_per.
---@param session argent.Session
---@param query table
---@param result argent.Result a stream
---@param populate boolean?
---@param size integer
function M.stream(session, query, result, populate, size)
  if query.unique then
    result:close()
    core.exc_raise("InvalidRequestError", "Can't use yield_per with eager loaders that require uniquing or row buffering, e.g. joinedload() "
      .. "against collections or subqueryload(). Consider the selectinload() strategy for better flexibility in loading objects.")
  end
  local names = names_for(query, result)
  local over = false
  local function refill()
    if over or not result:_fetch() then
      over = true
      return nil
    end
    local items, nrows, collected, loaded, refreshed = core.orm_load(session, result, query.plan, populate or false)
    if query.post[1] then load_more(session, query, collected) end
    if loaded or refreshed then M.tell(session, loaded, refreshed) end
    return items, nrows
  end
  local items, nrows = refill()
  return core.orm_result(items or {}, nrows or 0, names, false, refill):yield_per(size)
end

--- The same as a flat array of what the rows stand for.
---@param session argent.Session
---@param query table
---@param result argent.Result
function M.load_items(session, query, result)
  local items, _, collected, loaded, refreshed = core.orm_load(session, result, query.plan, false)
  if #query.post > 0 then load_more(session, query, collected) end
  if loaded or refreshed then M.tell(session, loaded, refreshed) end
  return items
end

--- How many rows a window has, when the statement asks for that.
local function yield_per(session, stmt, options)
  local call = options and options.execution_options
  if call and call.yield_per then return call.yield_per end
  local own = stmt:get_execution_options()
  if own and own.yield_per then return own.yield_per end
  local all = session:_info().execution_options
  return all and all.yield_per
end

--- Execute a SELECT with classes on a connection.
---@param session argent.Session
---@param conn argent.Connection
---@param stmt argent.Statement
---@param params table?
---@param options table?
function M.execute(session, conn, stmt, params, options)
  local sent, query = M.prepare(stmt, options and options.loader_options)
  local populate = options and options.populate_existing
  if populate == nil then
    local own = stmt:get_execution_options()
    populate = own and own.populate_existing
  end
  local size = yield_per(session, stmt, options)
  local result = conn:execute(sent, params, options and options.execution_options and {execution_options = options.execution_options})
  if size then return M.stream(session, query, result, populate, size) end
  return M.load(session, query, result, populate)
end

return M
