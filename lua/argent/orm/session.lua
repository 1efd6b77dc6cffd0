--- Sessions: statements, transactions, flush, get, refresh, merge. Objects coming and going (add, delete, expunge, expire) and the
--- identity map are C (csrc/binding/lua_orm_session.c, lua_orm_attach.c).
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"
local execute_state = require "argent.orm.execute_state"
local guard = require "argent.orm.guard"
local load = require "argent.orm.load"
local query = require "argent.orm.query"

require "argent.orm.transaction"
require "argent.orm.merge"

local M = {}

local enter, check_usable = guard.enter, guard.check_usable

---@class argent.Session
---@field new any[] pending objects
---@field dirty any[] changed objects
---@field deleted any[] objects to be deleted
---@field autoflush boolean
---@field expire_on_commit boolean
---@field info table
---@field bind argent.Engine|argent.Connection
---@field is_active boolean false after a failed flush, until rollback()
local Session = check.methods("Session")

---@class argent.SessionOptions
---@field autoflush boolean? flush before each statement (true)
---@field expire_on_commit boolean? read everything again after a commit (true)
---@field autobegin boolean? false: begin() is called before anything else
---@field close_resets_only boolean? false: close() ends the session for good
---@field info table? free data
---@field join_transaction_mode string? on a connection that is in a transaction
---@field twophase boolean? commit in two phases
---@field execution_options table? of every statement
local known_options = {
  autoflush = "boolean", expire_on_commit = "boolean", info = "table", autobegin = "boolean", bind = true,
  join_transaction_mode = "string", execution_options = "table", close_resets_only = "boolean", twophase = "boolean",
}

local join_modes = {conditional_savepoint = true, rollback_only = true, control_fully = true, create_savepoint = true}

--- A session on an engine (or a connection).
---
---     local session <close> = ag.Session(engine)
---@param bind argent.Engine|argent.Connection
---@param options? argent.SessionOptions
---@return argent.Session
function M.Session(bind, options)
  local kind = core.kind_of(bind)
  if kind ~= "Engine" and kind ~= "Connection" then
    check.argument_error("ag.Session", 1, "expected an Engine, got " .. core.describe(bind))
  end
  options = check.options("ag.Session", 2, options, known_options)
  local info = {bind = bind, autoflush = options.autoflush ~= false, expire_on_commit = options.expire_on_commit ~= false,
    info = options.info or {}, autobegin = options.autobegin ~= false, close_ends = options.close_resets_only == false,
    nested = {}, busy = guard.new(),
    execution_options = options.execution_options, twophase = options.twophase or nil, join_transaction_mode = options.join_transaction_mode}
  if options.join_transaction_mode and not join_modes[options.join_transaction_mode] then
    check.unknown("ag.Session", "join_transaction_mode", options.join_transaction_mode, join_modes)
  end
  return core.orm_session(info)
end

-- ── flush ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- A flush inside a transaction that has written before runs in a savepoint, so that its failure leaves the transaction usable.
local function flush_in(session, info, conn)
  local savepoint = info.wrote and conn:begin_nested() or nil
  local ok, err = pcall(session._flush, session, conn)
  if ok then
    if savepoint then savepoint:commit() end
    info.wrote = true
    return
  end
  if savepoint and not session:_half_moved() then
    local undone, why = pcall(savepoint.rollback, savepoint)
    if not undone then info.failed = tostring(why) end
  else
    info.failed = type(err) == "table" and err.message or tostring(err)
    pcall(conn.rollback, conn)
  end
  error(err, 0)
end

--- after_flush sees the lists as they were before.
---@param session argent.Session
---@param info table
---@param shown table
function M.after_flush(session, info, shown)
  info.shown = shown
  local ok, err = pcall(events.emit, session, "after_flush", session)
  info.shown = nil
  if not ok then error(err, 0) end
end

--- Write all changes to the database.
function Session:flush()
  local info = self:_info()
  if info.flushing then core.exc_raise("InvalidRequestError", "Session is already flushing") end
  check_usable(info)
  if not self:_pending() then return end
  local _ <close> = enter(self, "flush")
  info.flushing = true
  local over <close> = setmetatable({}, {__close = function()
    info.flushing = false
    self:_flush_over()
  end})
  local _ = over
  events.emit(self, "before_flush", self, nil, nil)
  if not self:_pending() then return end
  local conn = self:connection()
  local shown = #events.session_listeners(self, "after_flush") > 0 and {new = self.new, dirty = self.dirty, deleted = self.deleted} or nil
  flush_in(self, info, conn)
  if shown then M.after_flush(self, info, shown) end
  info.flushing = false
  local moved = info.moved
  info.moved = nil
  if moved then moved() end
  events.emit(self, "after_flush_postexec", self)
end

--- Flush before a statement, when autoflush is on.
function Session:_autoflush()
  local info = self:_info()
  if info.autoflush and not info.flushing and self:_pending() then self:flush() end
end

--- Run a function without autoflush: `session:no_autoflush(function() … end)`.
---@param fn fun(session: argent.Session): any
---@return any ... what the function returns
function Session:no_autoflush(fn)
  check.callable("Session:no_autoflush", 1, fn)
  local info = self:_info()
  local before = info.autoflush
  info.autoflush = false
  local results = table.pack(pcall(fn, self))
  info.autoflush = before
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

-- ── statements ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local execute_options = {execution_options = "table", populate_existing = "boolean", loader_options = "table"}
local writes = {Insert = true, Update = true, Delete = true, text = true, TextualSelect = false}

--- with_loader_criteria options that hold for every statement of the session (do_orm_execute listeners may add them).
function Session:_criteria() return self:_info().criteria end

local function run(session, statement, params, options)
  local kind = core.kind_of(statement)
  session:_autoflush()
  local conn = session:connection()
  if kind == "Select" and (core.orm_has_classes(statement)) then return query.execute(session, conn, statement, params, options) end
  if writes[kind] then return require("argent.orm.dml").execute(session, conn, statement, params, options) end
  return conn:execute(statement, params, options.execution_options and {execution_options = options.execution_options})
end

--- Execute a statement; classes in it become objects.
---
---     for row in session:execute(ag.select(User, Post):join(User.posts)):rows() do print(row.User.name, row.Post.title) end
---@param statement any
---@param params? table
---@param options? {execution_options: table?, populate_existing: boolean?}
---@return argent.Result
function Session:execute(statement, params, options)
  local _ <close> = enter(self, "execute")
  options = check.options("Session:execute", 3, options, execute_options)
  local info = self:_info()
  check_usable(info)
  if not execute_state.wanted(self) then return run(self, statement, params, options) end
  return execute_state.run(self, {statement = statement, parameters = params, execution_options = options.execution_options}, function(state)
    local changed = {}
    for name, value in pairs(options) do changed[name] = value end
    changed.execution_options = next(state.execution_options) and state.execution_options or nil
    return run(self, state.statement, state.parameters, changed)
  end)
end

--- The first column (or object) of each row.
---@param statement any
---@param params? table
---@param options? table
---@return argent.Result
function Session:scalars(statement, params, options) return self:execute(statement, params, options):scalars() end

--- The first column of the first row; nil when there is none.
---@param statement any
---@param params? table
---@param options? table
---@return any
function Session:scalar(statement, params, options) return self:execute(statement, params, options):scalar() end

-- ── refresh, expunge_all ────────────────────────────────────────────────────────────────────────────────────────────────

--- Read an object again from its row; changes are lost. names: only these attributes (a relationship is expired and loads on access).
---@param object any
---@param names? string[]
---@param options? {with_for_update: boolean|table?}
function Session:refresh(object, names, options)
  local _ <close> = enter(self, "refresh")
  options = check.options("Session:refresh", 3, options, {with_for_update = true})
  local state, session = core.orm_state(object)
  if session ~= self or state ~= "persistent" then
    core.exc_raise("InvalidRequestError", ("Instance '%s' is not persistent within this Session"):format(tostring(object)))
  end
  self:_autoflush()
  self:expire(object, names)
  local class = core.orm_class_of(object)
  local columns = {}
  for _, slot in ipairs(query.shape(class).slots) do
    local asked = not names and not slot.deferred
    for _, name in ipairs(names or {}) do asked = asked or name == slot.key end
    if asked then columns[#columns + 1] = slot.key end
  end
  if #columns > 0 then load.read(self, object, columns, false, options.with_for_update) end
  for _, name in ipairs(names or {}) do
    if query.shape(class).relations[name] then local _ = object[name] end
  end
end

--- All objects leave the session, as they are.
function Session:expunge_all() self:_release() end

--- Delete several objects.
---@param objects any[]
function Session:delete_all(objects)
  check.type("Session:delete_all", 1, objects, "table")
  for _, object in ipairs(objects) do self:delete(object) end
end

--- Has the object net changes that a flush would write?
---@param object any
---@return boolean
function Session:is_modified(object)
  if not core.orm_class_of(object) then check.argument_error("Session:is_modified", 1, "expected a mapped object, got " .. core.describe(object)) end
  local class = core.orm_class_of(object)
  local s = query.shape(class)
  local inspect = require "argent.orm.inspect"
  for _, slot in ipairs(s.slots) do
    if inspect.history(object, slot.key):has_changes() then return true end
  end
  for _, key in ipairs(s.relations) do
    if inspect.history(object, key):has_changes() then return true end
  end
  return false
end

-- ── functions on objects ────────────────────────────────────────────────────────────────────────────────────────────────

--- The session an object is in, or nil.
---@param object any
---@return argent.Session?
function M.object_session(object)
  if not core.orm_class_of(object) then check.argument_error("ag.object_session", 1, "expected a mapped object, got " .. core.describe(object)) end
  local _, session = core.orm_state(object)
  return session
end

--- Make an object as if it had never had a row.
---@param object any
function M.make_transient(object)
  local _, session = core.orm_state(object)
  if session ~= nil then session:expunge(object) end
  core.orm_mark(object, "transient")
end

--- Make a new object as if it had been loaded and detached; what is not set loads on access.
---@param object any
function M.make_transient_to_detached(object)
  if core.orm_state(object) ~= "transient" then
    core.exc_raise("InvalidRequestError", "Given object must be transient")
  end
  core.orm_mark(object, "detached")
end

--- Mark an attribute as changed although it was not assigned (a table changed in place).
---@param object any
---@param name string
function M.flag_modified(object, name)
  core.orm_flag(object, name)
  require("argent.orm.attribute_events").modified(object, name)
end

-- ── sessionmaker ────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.sessionmaker
local Maker = {__name = "argent.sessionmaker"}
Maker.__index = Maker

--- A new session.
Maker.__call = function(self, options)
  local all = {}
  for key, value in pairs(self.options) do all[key] = value end
  for key, value in pairs(check.options("sessionmaker", 1, options, known_options)) do all[key] = value end
  local bind = all.bind or self.bind
  all.bind = nil
  local session = M.Session(bind, all)
  session:_info().maker = self
  return session
end

--- A session for one function: committed when it returns, rolled back when it raises, closed either way.
---
---     Session:begin(function(session) session:add(ann) end)
---@param fn fun(session: argent.Session): any
---@return any
function Maker:begin(fn)
  if fn == nil then
    local session = self()
    session:begin()
    return session
  end
  check.callable("sessionmaker:begin", 1, fn)
  local session <close> = self()
  local results = table.pack(session:begin(fn))
  session:close()
  return table.unpack(results, 1, results.n)
end

--- Change the options of sessions made from now on.
---@param options table
function Maker:configure(options)
  for key, value in pairs(check.options("sessionmaker:configure", 1, options, known_options)) do
    if key == "bind" then self.bind = value else self.options[key] = value end
  end
end

--- A factory of sessions.
---
---     local Session = ag.sessionmaker(engine, {expire_on_commit = false})
---@param bind? argent.Engine
---@param options? table
---@return argent.sessionmaker
function M.sessionmaker(bind, options)
  if bind ~= nil and core.kind_of(bind) == nil and type(bind) == "table" then bind, options = bind.bind, bind end
  local kind = core.kind_of(bind)
  if bind ~= nil and kind ~= "Engine" and kind ~= "Connection" then
    check.argument_error("ag.sessionmaker", 1, "expected an Engine, got " .. core.describe(bind))
  end
  options = check.options("ag.sessionmaker", 2, options, known_options)
  return setmetatable({bind = bind, options = options}, Maker)
end

return M
