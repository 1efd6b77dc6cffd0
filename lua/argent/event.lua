--- ag.event: listeners of engines, pools and connections, and a registry that other parts (sessions, mappers, tables) join by
--- `register`. Names and argument order are SQLAlchemy's.
---
---     ag.event.listen(engine, "before_cursor_execute", function(conn, cursor, statement, parameters, context, executemany)
---       print(statement)
---     end)
local core = require "argent.core"
local check = require "argent.check"

local M = {}

-- ── listeners ────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.event.Listener
---@field fn function
---@field call function what is called: fn, or a wrapper for `named`
---@field once boolean?
---@field retval boolean?
---@field propagate boolean?
---@field done boolean?

--- target → event name → listeners. Weak: a target that is gone takes its listeners along.
local registry = setmetatable({}, {__mode = "k"})
--- Kinds of targets, in the order they were registered.
local kinds = {}

---@class argent.event.Kind
---@field name string
---@field match fun(target: any): boolean
---@field events table<string, string[]>
---@field key? fun(target: any): any
---@field changed? fun(target: any, name: string)

--- Make a kind of target known.
---   match(target): is it one of this kind? key(target): what listeners are kept by (default: the target itself).
---   events: name → array of argument names (for `named`). changed(target, name): told when listeners came or went.
---@param kind argent.event.Kind
function M.register(kind)
  kinds[#kinds + 1] = kind
end

--- The listeners of a target for an event, in calling order; nil when there are none.
---@param target any
---@param name string
---@return argent.event.Listener[]?
function M.listeners(target, name)
  local events = registry[target]
  return events and events[name]
end

--- Call the listeners in a list; the last value that a `retval` listener returned is given back.
---@param list argent.event.Listener[]
---@param ... any
---@return any ...
function M.call(list, ...)
  local value = nil
  for i = 1, #list do
    local listener = list[i]
    if not listener.done then
      if listener.once then listener.done = true end
      local result = listener.call(...)
      if listener.retval and result ~= nil then value = result end
    end
  end
  return value
end

local function kind_of(target, func)
  for _, kind in ipairs(kinds) do
    if kind.match(target) then return kind, kind.key and kind.key(target) or target end
  end
  return check.argument_error(func, 1, "nothing can be listened for on " .. core.describe(target))
end

local function check_event(func, kind, name)
  if type(name) ~= "string" then check.argument_error(func, 2, "expected the name of an event, got " .. core.describe(name)) end
  if not kind.events[name] then check.unknown(func, ("event of %s"):format(kind.name), name, kind.events) end
end

local function named(fn, names)
  return function(...)
    local args, values = {}, {...}
    for i, name in ipairs(names) do args[name] = values[i] end
    return fn(args)
  end
end

local modifiers = {once = "boolean", insert = "boolean", named = "boolean", retval = "boolean", propagate = "boolean"}

--- Call `fn` when the event happens on the target.
---
---     ag.event.listen(engine, "connect", function(raw) raw:execute("PRAGMA cache_size = 10000") end)
---@param target any an engine, a pool, a connection, ag.Engine, ag.Pool …; with the ORM sessions, classes, attributes, tables
---@param name string
---@param fn function
---@param options? {once: boolean?, insert: boolean?, named: boolean?, retval: boolean?, propagate: boolean?}
function M.listen(target, name, fn, options)
  local kind, key = kind_of(target, "ag.event.listen")
  check_event("ag.event.listen", kind, name)
  check.callable("ag.event.listen", 3, fn)
  options = check.options("ag.event.listen", 4, options, modifiers)
  local events = registry[key]
  if not events then events = {}; registry[key] = events end
  -- A running event goes on with the list it began with.
  local list = {}
  for i, listener in ipairs(events[name] or {}) do
    if listener.fn == fn then return end
    list[i] = listener
  end
  local listener = {fn = fn, call = options.named and named(fn, kind.events[name]) or fn, once = options.once,
    retval = options.retval, propagate = options.propagate}
  if options.insert then table.insert(list, 1, listener) else list[#list + 1] = listener end
  events[name] = list
  if kind.changed then kind.changed(target, name) end
end

--- The same in one expression: gives `fn` back.
---
---     local on_begin = ag.event.listens_for(engine, "begin", function(conn) … end)
---@param target any
---@param name string
---@param fn function
---@param options? table
---@return function fn
function M.listens_for(target, name, fn, options)
  M.listen(target, name, fn, options)
  return fn
end

--- Stop calling `fn`. Raises when it does not listen.
---@param target any
---@param name string
---@param fn function
function M.remove(target, name, fn)
  local kind, key = kind_of(target, "ag.event.remove")
  check_event("ag.event.remove", kind, name)
  check.callable("ag.event.remove", 3, fn)
  local events = registry[key]
  local list, found = {}, false
  for _, listener in ipairs(events and events[name] or {}) do
    if listener.fn == fn then found = true; listener.done = true else list[#list + 1] = listener end
  end
  if not found then
    core.exc_raise("InvalidRequestError", ("ag.event.remove: this function does not listen for '%s' on %s"):format(name,
      core.describe(target)))
  end
  events[name] = list[1] and list or nil
  if kind.changed then kind.changed(target, name) end
end

--- Does `fn` listen?
---@param target any
---@param name string
---@param fn function
---@return boolean
function M.contains(target, name, fn)
  local kind, key = kind_of(target, "ag.event.contains")
  check_event("ag.event.contains", kind, name)
  check.callable("ag.event.contains", 3, fn)
  for _, listener in ipairs(M.listeners(key, name) or {}) do
    if listener.fn == fn and not listener.done then return true end
  end
  return false
end

-- ── engines, pools, connections ──────────────────────────────────────────────────────────────────────────────────────

--- `ag.event.listen(ag.Engine, …)` listens on every engine.
M.Engine = setmetatable({}, {__name = "argent.Engine", __tostring = function() return "ag.Engine" end})
M.Pool = setmetatable({}, {__name = "argent.Pool", __tostring = function() return "ag.Pool" end})

local pool_events = {
  connect = {"dbapi_connection", "connection_record"}, first_connect = {"dbapi_connection", "connection_record"},
  checkout = {"dbapi_connection", "connection_record", "connection_proxy"},
  checkin = {"dbapi_connection", "connection_record"}, reset = {"dbapi_connection", "connection_record", "reset_state"},
  invalidate = {"dbapi_connection", "connection_record", "exception"},
  soft_invalidate = {"dbapi_connection", "connection_record", "exception"},
  close = {"dbapi_connection", "connection_record"}, detach = {"dbapi_connection", "connection_record"},
  close_detached = {"dbapi_connection"},
}

local connection_events = {
  engine_connect = {"conn"}, begin = {"conn"}, commit = {"conn"}, rollback = {"conn"},
  set_connection_execution_options = {"conn", "opts"},
  savepoint = {"conn", "name"}, rollback_savepoint = {"conn", "name", "context"},
  release_savepoint = {"conn", "name", "context"},
  begin_twophase = {"conn", "xid"}, prepare_twophase = {"conn", "xid"},
  commit_twophase = {"conn", "xid", "is_prepared"}, rollback_twophase = {"conn", "xid", "is_prepared"},
  before_execute = {"conn", "clauseelement", "multiparams", "params", "execution_options"},
  after_execute = {"conn", "clauseelement", "multiparams", "params", "execution_options", "result"},
  before_cursor_execute = {"conn", "cursor", "statement", "parameters", "context", "executemany"},
  after_cursor_execute = {"conn", "cursor", "statement", "parameters", "context", "executemany"},
  handle_error = {"exception_context"},
}

local engine_events = {
  engine_disposed = {"engine"}, set_engine_execution_options = {"engine", "opts"}, do_connect = {"url"},
  do_execute = {"cursor", "statement", "parameters", "context"}, do_executemany = {"cursor", "statement", "parameters", "context"},
}

local function union(...)
  local all = {}
  for _, t in ipairs{...} do for k, v in pairs(t) do all[k] = v end end
  return all
end

--- Engines and pools alive, for listeners of ag.Engine and ag.Pool.
local engines = setmetatable({}, {__mode = "k"})

local function mask_of(target)
  local mask = 0
  for name in pairs(registry[target] or {}) do mask = mask | (core.event_bit(name) or 0) end
  return mask
end

--- A pool tells what its own listeners and those of the engines that share it want.
local function update_pool(pool)
  local mask = mask_of(pool) | mask_of(M.Engine) | mask_of(M.Pool)
  for engine in pairs(engines) do
    if core.engine_pool_is(engine, pool) then mask = mask | mask_of(engine) end
  end
  core.event_mask(pool, mask)
end

local function update_engine(engine)
  engines[engine] = true
  core.event_mask(engine, mask_of(engine) | mask_of(M.Engine) | mask_of(M.Pool))
  update_pool(engine.pool)
end

--- A new engine: listeners of ag.Engine hold for it too.
---@param engine argent.Engine
function M._engine_made(engine)
  engines[engine] = true
  if registry[M.Engine] or registry[M.Pool] then update_engine(engine) end
end

local function update_all()
  for engine in pairs(engines) do
    if core.engine_pool_is(engine) then update_engine(engine) end
  end
end

M.register{name = "an Engine", events = union(engine_events, connection_events, pool_events),
  match = function(t) return core.kind_of(t) == "Engine" end, changed = update_engine}
M.register{name = "a Connection", events = connection_events,
  match = function(t) return core.kind_of(t) == "Connection" end,
  changed = function(conn) core.event_mask(conn, mask_of(conn)) end}
M.register{name = "a Pool", events = pool_events,
  match = function(t) return core.kind_of(t) == "Pool" end,
  changed = update_pool}
M.register{name = "ag.Engine", events = union(engine_events, connection_events, pool_events),
  match = function(t) return t == M.Engine end, changed = update_all}
M.register{name = "ag.Pool", events = pool_events, match = function(t) return t == M.Pool end, changed = update_all}

--- Lists of listeners for an event, outermost first: all engines, the parent engine, the engine, its pool, the connection.
local function lists_for(name, conn, engine, pool)
  local lists = {}
  local function add(target)
    local list = target ~= nil and M.listeners(target, name)
    if list then lists[#lists + 1] = list end
  end
  local function add_engine(e)
    if e == nil then return end
    add_engine(core.engine_parent(e))
    add(e)
  end
  add(M.Engine)
  if pool_events[name] then add(M.Pool) end
  if engine == nil and pool ~= nil then -- told later than it happened
    for e in pairs(engines) do
      if core.engine_pool_is(e, pool) then add(e) end
    end
  end
  add_engine(engine)
  add(pool)
  add(conn)
  return lists
end

--- The first listener that returns true has done it.
local function first_true(lists, ...)
  for _, list in ipairs(lists) do
    for _, listener in ipairs(list) do
      if not listener.done then
        if listener.once then listener.done = true end
        if listener.call(...) then return true end
      end
    end
  end
end

--- Listeners see what those before them returned.
local chained = {
  before_cursor_execute = function(lists, conn, cursor, statement, parameters, context, executemany)
    local changed = false
    for _, list in ipairs(lists) do
      for _, listener in ipairs(list) do
        if not listener.done then
          if listener.once then listener.done = true end
          local s, p = listener.call(conn, cursor, statement, parameters, context, executemany)
          if listener.retval then
            if type(s) ~= "string" or type(p) ~= "table" then
              core.exc_raise("ArgumentError",
                "a before_cursor_execute listener with retval must return the statement and its parameters")
            end
            statement, parameters, changed = s, p, true
          end
        end
      end
    end
    if changed then return statement, parameters end
  end,
  before_execute = function(lists, conn, statement, multiparams, params, options)
    local changed = false
    for _, list in ipairs(lists) do
      for _, listener in ipairs(list) do
        if not listener.done then
          if listener.once then listener.done = true end
          local s, m, p = listener.call(conn, statement, multiparams, params, options)
          if listener.retval then
            if s == nil then
              core.exc_raise("ArgumentError",
                "a before_execute listener with retval must return statement, multiparams, params")
            end
            statement, multiparams, params, changed = s, m, p, true
          end
        end
      end
    end
    if changed then return statement, multiparams, params end
  end,
  handle_error = function(lists, context)
    local replaced
    for _, list in ipairs(lists) do
      for _, listener in ipairs(list) do
        if not listener.done then
          if listener.once then listener.done = true end
          context.chained_exception = replaced
          local e = listener.call(context)
          if e ~= nil and not core.exc_is_error(e) then
            core.exc_raise("ArgumentError", "a handle_error listener returns an error object of ag.exc or nothing, got " .. core.describe(e))
          end
          if e ~= nil then replaced = e end
        end
      end
    end
    return replaced
  end,
  checkout = function(lists, ...)
    for _, list in ipairs(lists) do
      local ok, e = pcall(M.call, list, ...)
      if not ok then
        if core.exc_is_error(e) and e:is(require("argent.exc").DisconnectionError) then
          return e:is(require("argent.exc").InvalidatePoolError) and "invalidate" or "disconnect"
        end
        error(e, 0)
      end
    end
  end,
  do_execute = first_true, do_executemany = first_true,
  do_connect = function(lists, url)
    for _, list in ipairs(lists) do
      for _, listener in ipairs(list) do
        local other = listener.call(url)
        if other ~= nil then return other end
      end
    end
  end,
}

core.event_dispatch(function(name, conn, engine, pool, ...)
  local lists = lists_for(name, conn, engine, pool)
  if not lists[1] then return end
  local chain = chained[name]
  if chain then return chain(lists, ...) end
  for _, list in ipairs(lists) do M.call(list, ...) end
end)

--- Emit an event that the core does not know of itself.
function M._emit(name, conn, engine, pool, ...)
  if next(registry) == nil then return end
  for _, list in ipairs(lists_for(name, conn, engine, pool)) do M.call(list, ...) end
end

return M
