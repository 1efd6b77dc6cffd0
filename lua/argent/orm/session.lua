--- Sessions: statements, transactions, flush, get, refresh, merge. Objects coming and going (add, delete, expunge, expire) and the
--- identity map are C (csrc/binding/lua_orm_session.c, lua_orm_attach.c).
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"
local load = require "argent.orm.load"
local query = require "argent.orm.query"

local M = {}

---@class argent.Session
---@field new any[] pending objects
---@field dirty any[] changed objects
---@field deleted any[] objects to be deleted
---@field autoflush boolean
---@field expire_on_commit boolean
---@field info table
---@field bind argent.Engine|argent.Connection
---@field is_active boolean false after a failed flush, until rollback()
local Session = core.methods("Session")

local ag
local function argent()
  ag = ag or require "argent"
  return ag
end

local function part(class) return core.orm_class_part(class, "info") end

local known_options = {
  autoflush = "boolean", expire_on_commit = "boolean", info = "table", autobegin = "boolean", bind = true, binds = "table",
  join_transaction_mode = "string", execution_options = "table", close_resets_only = "boolean",
}

--- A session on an engine (or a connection).
---
---     local session <close> = ag.Session(engine)
---@param bind argent.Engine|argent.Connection
---@param options? {autoflush: boolean?, expire_on_commit: boolean?, info: table?, autobegin: boolean?}
---@return argent.Session
function M.Session(bind, options)
  local kind = core.kind_of(bind)
  if kind ~= "Engine" and kind ~= "Connection" then
    check.argument_error("ag.Session", 1, "expected an Engine, got " .. core.describe(bind))
  end
  options = check.options("ag.Session", 2, options, known_options)
  local info = {bind = bind, autoflush = options.autoflush ~= false, expire_on_commit = options.expire_on_commit ~= false,
    info = options.info or {}, autobegin = options.autobegin ~= false, nested = {}, busy = {depth = 0},
    execution_options = options.execution_options}
  return core.orm_session(info)
end

-- ── one user at a time ──────────────────────────────────────────────────────────────────────────────────────────────────

local guard_meta = {__close = function(guard)
  guard.depth = guard.depth - 1
  if guard.depth == 0 then guard.co, guard.name = nil, nil end
end}

--- Mark the session as used by this coroutine until the returned value is closed.
local function enter(session, name)
  local info = session:_info()
  local guard = info.busy
  local co = coroutine.running()
  if guard.depth > 0 and guard.co ~= co then
    if coroutine.status(guard.co) ~= "dead" then
      core.exc_raise("IllegalStateChangeError", ("Method '%s' can't be called here; method '%s' is already in progress in another coroutine: "
        .. "a session serves one coroutine at a time"):format(name, guard.name))
    end
    guard.depth = 0
    session:_flush_over()
  end
  if guard.depth == 0 then
    guard.co, guard.name = co, name
    setmetatable(guard, guard_meta)
  end
  guard.depth = guard.depth + 1
  return guard
end

-- ── transactions ────────────────────────────────────────────────────────────────────────────────────────────────────────

local function check_usable(info)
  if info.failed then
    core.exc_raise("PendingRollbackError", ("This Session's transaction has been rolled back due to a previous exception during flush. To begin "
      .. "a new transaction with this Session, first issue session:rollback(). Original exception was: %s"):format(info.failed))
  end
end

local function start(session, info)
  check_usable(info)
  if info.tx then return info.tx end
  info.tx = {serial = session:_begin_segment(true)}
  events.emit(session, "after_transaction_create", session, info.tx)
  return info.tx
end

--- The session's connection; its transaction begins with the first use.
---@return argent.Connection
function Session:connection()
  local info = self:_info()
  local tx = start(self, info)
  if info.conn then return info.conn end
  local _ <close> = enter(self, "connection")
  local bind = info.bind
  if core.kind_of(bind) == "Connection" then
    info.conn, info.borrowed = bind, true
    if bind:in_transaction() then tx.outer = bind:begin_nested() end
  else
    info.conn = bind:connect()
  end
  if info.execution_options then info.conn:execution_options(info.execution_options) end
  events.emit(self, "after_begin", self, tx, info.conn)
  return info.conn
end

local function give_back(info)
  local conn, borrowed = info.conn, info.borrowed
  info.conn, info.borrowed, info.tx, info.wrote, info.failed, info.nested = nil, nil, nil, nil, nil, {}
  if conn and not borrowed then conn:close() end
end

local function end_objects(session, info)
  session:_committed()
  if info.expire_on_commit then session:expire_all() end
end

--- Commit: flush, COMMIT, and (with expire_on_commit) expire everything loaded. Inside begin_nested the savepoint is released.
function Session:commit()
  local _ <close> = enter(self, "commit")
  local info = self:_info()
  check_usable(info)
  local nested = info.nested[#info.nested]
  if nested and nested.explicit then return nested:commit() end
  events.emit(self, "before_commit", self)
  self:flush()
  while #info.nested > 0 do info.nested[#info.nested]:commit() end
  if info.conn then
    if info.tx and info.tx.outer then info.tx.outer:commit()
    else info.conn:commit() end
  end
  end_objects(self, info)
  events.emit(self, "after_commit", self)
  local tx = info.tx
  give_back(info)
  if tx then events.emit(self, "after_transaction_end", self, tx) end
end

--- Roll back: the database's transaction, and the objects to what they were before it; loaded values are expired.
function Session:rollback()
  local _ <close> = enter(self, "rollback")
  local info = self:_info()
  local nested = info.nested[#info.nested]
  if nested and not info.failed then return nested:rollback() end
  local serial = info.tx and info.tx.serial
  local ok, err = true, nil
  if info.conn then
    if info.tx and info.tx.outer then ok, err = pcall(info.tx.outer.rollback, info.tx.outer)
    else ok, err = pcall(info.conn.rollback, info.conn) end
  end
  if serial then
    self:_rollback(serial)
    events.emit(self, "after_rollback", self)
    events.emit(self, "after_soft_rollback", self, info.tx)
  else
    self:_rollback(self:_begin_segment(true))
  end
  local tx = info.tx
  give_back(info)
  if tx then events.emit(self, "after_transaction_end", self, tx) end
  if not ok then error(err, 0) end
end

--- Detach all objects and give the connection back, rolled back. The session can be used again.
function Session:close()
  local info = self:_info()
  if info.tx and info.conn then
    if info.tx.outer then info.tx.outer:rollback() else info.conn:rollback() end
  end
  give_back(info)
  self:_release()
end

--- As close(): everything is detached, nothing is kept.
function Session:reset() self:close() end

--- Close without waiting for the database: the connection is thrown away.
function Session:invalidate()
  local info = self:_info()
  if info.conn then info.conn:invalidate() end
  give_back(info)
  self:_release()
end

function Session:in_transaction() return self:_info().tx ~= nil end

function Session:in_nested_transaction() return #self:_info().nested > 0 end

function Session:get_bind() return self:_info().bind end

local Transaction = {__name = "argent.SessionTransaction"}
Transaction.__index = Transaction
function Transaction:commit()
  self.done = true
  self.session:commit()
end
function Transaction:rollback()
  self.done = true
  self.session:rollback()
end
function Transaction:__close(err)
  if self.done then return end
  self.done = true
  local _ = err
  if self.session:in_transaction() then self.session:rollback() end
end

--- Run a function, commit when it returns; roll back and re-raise when it raises. Returns what it returns.
local function run_block(fn, argument, commit, rollback)
  local results = table.pack(pcall(fn, argument))
  if not results[1] then
    pcall(rollback)
    error(results[2], 0)
  end
  local ok, err = pcall(commit)
  if not ok then
    pcall(rollback)
    error(err, 0)
  end
  return table.unpack(results, 2, results.n)
end

--- Begin a transaction. With a function: it is committed when the function returns. Without: a handle with commit(), rollback() and
--- `<close>`.
---@param fn? fun(session: argent.Session): any
---@return any
function Session:begin(fn)
  local info = self:_info()
  if fn ~= nil then check.callable("Session:begin", 1, fn) end
  if info.tx then
    core.exc_raise("InvalidRequestError", "A transaction is already begun on this Session.")
  end
  start(self, info)
  if fn == nil then return setmetatable({session = self}, Transaction) end
  return run_block(fn, self, function() self:commit() end, function() self:rollback() end)
end

local Nested = {__name = "argent.NestedTransaction"}
Nested.__index = Nested

local function pop_nested(nested)
  local list = nested.session:_info().nested
  for i = #list, 1, -1 do
    local top = table.remove(list)
    if top == nested then return true end
  end
  return false
end

--- Release the savepoint.
function Nested:commit()
  if self.done then core.exc_raise("ResourceClosedError", "This transaction is closed") end
  local info = self.session:_info()
  while info.nested[#info.nested] ~= self and #info.nested > 0 do info.nested[#info.nested]:commit() end
  self.session:flush()
  self.done = true
  pop_nested(self)
  self.tx:commit()
end

--- Undo what happened since the savepoint.
function Nested:rollback()
  if self.done then core.exc_raise("ResourceClosedError", "This transaction is closed") end
  self.done = true
  pop_nested(self)
  local ok, err = pcall(self.tx.rollback, self.tx)
  self.session:_info().failed = nil
  self.session:_rollback(self.serial)
  events.emit(self.session, "after_soft_rollback", self.session, self)
  if not ok then error(err, 0) end
end

function Nested:__close()
  if not self.done then self:rollback() end
end

--- A SAVEPOINT. With a function: released when it returns, undone when it raises (and re-raised). Without: a handle.
---@param fn? fun(session: argent.Session): any
---@return any
function Session:begin_nested(fn)
  if fn ~= nil then check.callable("Session:begin_nested", 1, fn) end
  local info = self:_info()
  check_usable(info)
  self:flush()
  local nested = setmetatable({session = self}, Nested)
  nested.tx = self:connection():begin_nested()
  nested.serial = self:_begin_segment(false)
  nested.explicit = false
  info.nested[#info.nested + 1] = nested
  info.wrote = true
  if fn == nil then
    nested.explicit = true
    return nested
  end
  return run_block(fn, self, function() if not nested.done then nested:commit() end end,
    function() if not nested.done then nested:rollback() end end)
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
  if savepoint then
    local undone, why = pcall(savepoint.rollback, savepoint)
    if not undone then info.failed = tostring(why) end
  else
    info.failed = type(err) == "table" and err.message or tostring(err)
    pcall(conn.rollback, conn)
  end
  error(err, 0)
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
  flush_in(self, info, conn)
  events.emit(self, "after_flush", self)
  info.flushing = false
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
  local kind = core.kind_of(statement)
  statement, params = events.orm_execute(self, statement, params)
  if core.kind_of(statement) == "Result" then return statement end
  self:_autoflush()
  local conn = self:connection()
  if kind == "Select" and (core.orm_has_classes(statement)) then return query.execute(self, conn, statement, params, options) end
  if writes[kind] then return require("argent.orm.dml").execute(self, conn, statement, params, options) end
  return conn:execute(statement, params, options.execution_options and {execution_options = options.execution_options})
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

-- ── get ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Key values: one value, an array, or a table by attribute name.
local function key_values(class, ident)
  local pk = query.shape(class).pk
  if type(ident) ~= "table" then return ident end
  if getmetatable(ident) == nil and next(ident) ~= nil and ident[1] == nil then
    local values = {}
    for i, key in ipairs(pk) do
      values[i] = ident[key]
      if values[i] == nil then
        core.exc_raise("InvalidRequestError", ("Incorrect names of values in identifier to formulate primary key for session:get(); primary key "
          .. "attribute names are %s"):format(table.concat(pk, ", ")))
      end
    end
    return table.unpack(values, 1, #pk)
  end
  return table.unpack(ident)
end

--- SELECT by primary key, kept with the class: {stmt, names of the parameters}.
local function get_statement(class)
  local info = part(class)
  if info.get_statement then return info.get_statement end
  local stmt, names = argent().select(class), {}
  for i, key in ipairs(query.shape(class).pk) do
    names[i] = ("pk_%d"):format(i)
    stmt = stmt:where(class[key]:eq(argent().bindparam(names[i], {type = class[key].type})))
  end
  info.get_statement = {stmt = stmt, names = names}
  return info.get_statement
end

local function still_there(session, object)
  for _, key in ipairs(core.orm_unloaded(object)) do
    for _, slot in ipairs(query.shape(core.orm_class_of(object)).slots) do
      if slot.key == key and slot.pk then -- expired as a whole: does its row exist?
        local ok, err = pcall(load.refresh, object, key)
        if ok then return true end
        if core.exc_is_error(err) and err:is(require("argent.exc").ObjectDeletedError) then return false end
        error(err, 0)
      end
    end
  end
  local _ = session
  return true
end

local get_options = {options = "table", populate_existing = "boolean", with_for_update = true, execution_options = "table"}

local function get_with(session, class, params, options)
  local stmt = get_statement(class).stmt
  if options.with_for_update then stmt = stmt:with_for_update(options.with_for_update ~= true and options.with_for_update or nil) end
  if options.options then stmt = stmt:options(table.unpack(options.options)) end
  return query.execute(session, session:connection(), stmt, params, {populate_existing = options.populate_existing
    or (options.with_for_update and true), execution_options = options.execution_options}):unique():scalars():one_or_none()
end

--- session:get(class, ident, options): the session does not have the object, or it is expired. The C method is the quick way.
function M.get(session, class, ident, options)
  if core.kind_of(class) ~= "Mapper" then
    check.argument_error("Session:get", 1, "expected a class, got " .. core.describe(class))
  end
  if ident == nil then check.argument_error("Session:get", 2, "expected a primary key, got nil") end
  local values = table.pack(key_values(class, ident))
  if options == nil then
    local object = session:_identity(class, table.unpack(values, 1, values.n))
    if object ~= nil then return still_there(session, object) and object or nil end
  end
  local _ <close> = enter(session, "get")
  check_usable(session:_info())
  local made = get_statement(class)
  local params = {}
  for i = 1, values.n do params[made.names[i]] = values[i] end
  if options ~= nil then return get_with(session, class, params, check.options("Session:get", 3, options, get_options)) end
  local sent, q = query.prepare_node(made.stmt, class, nil, session:_criteria())
  return query.load_items(session, q, session:connection():execute(sent, params))[1]
end

--- As get, but raises NoResultFound.
---@param class argent.Class
---@param ident any
---@param options? table
---@return any
function Session:get_one(class, ident, options)
  local object = self:get(class, ident, options)
  if object == nil then
    core.exc_raise("NoResultFound", ("No row was found when one was required: %s(%s)"):format(part(class).name,
      type(ident) == "table" and "…" or tostring(ident)))
  end
  return object
end

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

-- ── merge ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

local merge_one

local function merge_relation(session, object, copy, f, seen, reload)
  if not f.made.cascade.merge or not core.orm_is_loaded(object, f.key) then return end
  local value = core.orm_get(object, f.key)
  if f.made.uselist then
    local members = {}
    if value ~= nil then
      for _, member in ipairs(value:all()) do members[#members + 1] = merge_one(session, member, seen, reload) end
    end
    copy[f.key] = members
  elseif value ~= nil then
    copy[f.key] = merge_one(session, value, seen, reload)
  else
    copy[f.key] = nil
  end
end

local function key_of(object)
  local key = table.pack(core.orm_key(object))
  if key.n > 0 then return key end
  local pk = query.shape(core.orm_class_of(object)).pk
  for i, name in ipairs(pk) do
    local value = core.orm_get(object, name)
    if value == nil then return nil end
    key[i] = value
  end
  key.n = #pk
  return key
end

function merge_one(session, object, seen, reload)
  if seen[object] then return seen[object] end
  local state, owner = core.orm_state(object)
  if owner == session and state ~= "transient" then
    seen[object] = object
    return object
  end
  local class = core.orm_class_of(object)
  local key = key_of(object)
  local copy
  if key then
    copy = reload and session:get(class, key.n == 1 and key[1] or key) or session:_identity(class, table.unpack(key, 1, key.n))
  end
  if copy == nil then
    copy = class{}
    session:add(copy)
  end
  seen[object] = copy
  local s = query.shape(class)
  for _, slot in ipairs(s.slots) do
    local value, loaded = core.orm_get(object, slot.key)
    if loaded and not slot.expression and (value ~= nil or state ~= "transient" or core.orm_history(object, slot.key)) then
      if value ~= nil or not slot.pk then copy[slot.key] = value end
    end
  end
  for _, name in ipairs(s.relations) do merge_relation(session, object, copy, s.relations[name], seen, reload) end
  return copy
end

--- Copy the state of an object (of any session, or of none) into this session; gives the session's object.
---@param object any
---@param options? {load: boolean?}
---@return any
function Session:merge(object, options)
  options = check.options("Session:merge", 2, options, {load = "boolean", options = "table"})
  if not core.orm_class_of(object) then check.argument_error("Session:merge", 1, "expected a mapped object, got " .. core.describe(object)) end
  local _ <close> = enter(self, "merge")
  self:_autoflush()
  return self:no_autoflush(function() return merge_one(self, object, {}, options.load ~= false) end)
end

--- Merge several objects.
---@param objects any[]
---@return any[]
function Session:merge_all(objects)
  local out = {}
  for i, object in ipairs(objects) do out[i] = self:merge(object) end
  return out
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
function M.flag_modified(object, name) core.orm_flag(object, name) end

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
  return M.Session(bind, all)
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
  options = check.options("ag.sessionmaker", 2, options, known_options)
  return setmetatable({bind = bind, options = options}, Maker)
end

return M
