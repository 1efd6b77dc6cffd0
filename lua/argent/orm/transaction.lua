--- Transactions of sessions: begin, commit, rollback, savepoints, the connection and its return.
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"
local guard = require "argent.orm.guard"

local enter, check_usable = guard.enter, guard.check_usable

---@class argent.Session
local Session = check.methods("Session")

--- Tell of a transaction that has begun; a listener that ends it (closes the session, rolls it back) leaves nothing to go on with.
local function check_going_on(info, event, tx)
  if info.tx == tx then return end
  core.exc_raise("InvalidRequestError", ("a listener of '%s' ended the session's transaction, which had just begun"):format(event))
end

local function tell(session, info, event, tx)
  events.emit(session, event, session, tx, event == "after_begin" and info.conn or nil)
  check_going_on(info, event, tx)
end

--- Begin the session's transaction, if there is none; asked: by begin(), not by the first statement.
local function start(session, info, asked)
  check_usable(info)
  if info.tx then return info.tx end
  if info.closed then
    core.exc_raise("InvalidRequestError", "This Session has been permanently closed and is unable to handle any more transaction requests.")
  end
  if not info.autobegin and not asked then
    core.exc_raise("InvalidRequestError", "Autobegin is disabled on this Session; please call session:begin() to start a new transaction")
  end
  local tx = {serial = session:_begin_segment(true)}
  info.tx = tx
  tell(session, info, "after_transaction_create", tx)
  return tx
end

--- A session on a Connection that is in a transaction already: who ends what (join_transaction_mode).
---   rollback_only: rollback() ends the outer transaction, commit() and close() leave it alone. control_fully: it is the session's own.
---   create_savepoint: the session works in a savepoint. conditional_savepoint (default): in one where the connection is in a savepoint,
---   else rollback_only.
local function join_outer(info, tx, conn)
  if not conn:in_transaction() then return end
  local mode = info.join_transaction_mode or "conditional_savepoint"
  if mode == "conditional_savepoint" then mode = conn:in_nested_transaction() and "create_savepoint" or "rollback_only" end
  if mode == "create_savepoint" then tx.outer = conn:begin_nested() else tx.joined = mode end
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
    join_outer(info, tx, bind)
  else
    local conn = bind:connect()
    if info.tx ~= tx or info.conn then -- a listener of the engine used the session
      conn:close()
      check_going_on(info, "connect", tx)
      return info.conn
    end
    info.conn = conn
    if info.twophase then tx.outer = info.conn:begin_twophase() end
  end
  if info.execution_options then info.conn:execution_options(info.execution_options) end
  tell(self, info, "after_begin", tx)
  return info.conn
end

--- The connection goes back; should closing it fail, leaving the scope releases it without waiting.
local function give_back(info)
  local conn <close> = not info.borrowed and info.conn or nil
  info.conn, info.borrowed, info.tx, info.wrote, info.failed, info.nested = nil, nil, nil, nil, nil, {}
  if conn then conn:close() end
end

local function end_objects(session, info)
  session:_committed()
  if info.expire_on_commit then session:expire_all() end
end

--- Commit: flush, COMMIT, and (with expire_on_commit) expire everything loaded. Savepoints that are open are released, as in SQLAlchemy 2;
--- the handle of begin_nested() ends its savepoint alone.
function Session:commit()
  local _ <close> = enter(self, "commit")
  local info = self:_info()
  check_usable(info)
  if info.tx and info.tx.prepared then
    if self:_pending() then core.exc_raise("InvalidRequestError", "the transaction is prepared: nothing can be flushed into it") end
  else
    events.emit(self, "before_commit", self)
    self:flush()
  end
  while #info.nested > 0 do info.nested[#info.nested]:commit() end
  if info.twophase and info.tx and info.tx.outer and not info.tx.prepared then info.tx.outer:prepare() end
  if info.conn then
    if info.tx and info.tx.outer then info.tx.outer:commit()
    elseif not (info.tx and info.tx.joined == "rollback_only") then info.conn:commit() end
  end
  end_objects(self, info)
  events.emit(self, "after_commit", self)
  local tx = info.tx
  give_back(info)
  if tx then events.emit(self, "after_transaction_end", self, tx) end
end

--- First phase of a two-phase commit: flush and PREPARE. commit() is the second.
function Session:prepare()
  local _ <close> = enter(self, "prepare")
  local info = self:_info()
  check_usable(info)
  if not info.twophase then core.exc_raise("InvalidRequestError", "'twophase' mode not enabled, or not root transaction; can't prepare.") end
  events.emit(self, "before_commit", self)
  self:flush()
  while #info.nested > 0 do info.nested[#info.nested]:commit() end
  if info.tx and info.tx.outer and not info.tx.prepared then
    info.tx.outer:prepare()
    info.tx.prepared = true
  end
end

--- Roll back: the database's transaction with all savepoints, and the objects to what they were before it; loaded values are expired.
function Session:rollback()
  local _ <close> = enter(self, "rollback")
  local info = self:_info()
  for _, nested in ipairs(info.nested) do nested.done = true end
  local serial = info.tx and info.tx.serial
  local ok, err = true, nil
  if info.conn then
    if info.tx and info.tx.outer then ok, err = pcall(info.tx.outer.rollback, info.tx.outer)
    else ok, err = pcall(info.conn.rollback, info.conn) end
  end
  local restored, why = pcall(self._rollback, self, serial or self:_begin_segment(true))
  local tx = info.tx
  give_back(info)
  if not restored then error(why, 0) end
  if serial then
    events.emit(self, "after_rollback", self)
    events.emit(self, "after_soft_rollback", self, tx)
    events.emit(self, "after_transaction_end", self, tx)
  end
  if not ok then error(err, 0) end
end

--- As close(), and the session can be used again even where `close_resets_only = false`.
function Session:reset()
  local info = self:_info()
  self:_release()
  local ok, err = true, nil
  if info.tx and info.conn and info.tx.joined ~= "rollback_only" then
    local tx = info.tx.outer or info.conn
    ok, err = pcall(tx.rollback, tx)
  end
  give_back(info)
  if not ok then error(err, 0) end
end

--- Detach all objects and give the connection back, rolled back. The session can be used again, unless it was made with
--- `close_resets_only = false`.
function Session:close()
  self:reset()
  local info = self:_info()
  info.closed = info.close_ends
end

--- Close without waiting for the database: the connection is thrown away.
function Session:invalidate()
  local info = self:_info()
  if info.conn then info.conn:invalidate() end
  give_back(info)
  self:_release()
end

--- Has a transaction begun?
---@return boolean
function Session:in_transaction() return self:_info().tx ~= nil end

--- Is a savepoint open?
---@return boolean
function Session:in_nested_transaction() return #self:_info().nested > 0 end

--- The engine (or connection) of the session.
---@return argent.Engine|argent.Connection
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
  start(self, info, true)
  if fn == nil then return setmetatable({session = self}, Transaction) end
  return run_block(fn, self, function() self:commit() end, function() self:rollback() end)
end

local Nested = {__name = "argent.NestedTransaction"}
Nested.__index = Nested

local function pop_nested(nested)
  local list = nested.session:_info().nested
  repeat local top = table.remove(list) until top == nested or top == nil
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
  start(self, info, true)
  self:flush()
  local nested = setmetatable({session = self}, Nested)
  nested.tx = self:connection():begin_nested()
  nested.serial = self:_begin_segment(false)
  info.nested[#info.nested + 1] = nested
  info.wrote = true
  if fn == nil then return nested end
  return run_block(fn, self, function() if not nested.done then nested:commit() end end,
    function() if not nested.done then nested:rollback() end end)
end

return Session
