--- ag.create_engine, and the parts of engines and connections that take functions: begin(fn), begin_nested(fn),
--- run_in_transaction. The rest of these classes is C (csrc/binding/lua_engine.c …).
local core = require "argent.core"
local check = require "argent.check"
local event = require "argent.event"

local M = {}

-- ── drivers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- The driver module of each dialect, by the URL's driver part; "" is the default.
local drivers = {
  sqlite = {[""] = "sqlite", sqlite = "sqlite", sqlite3 = "sqlite", pysqlite = "sqlite"},
  postgresql = {[""] = "postgresql", libpq = "postgresql", pq = "postgresql", psycopg = "postgresql", psycopg2 = "postgresql",
    asyncpg = "postgresql"},
  postgres = {[""] = "postgresql"},
}

local load_driver

function load_driver(url)
  local backend, driver = url:get_backend_name(), url:get_driver_name()
  if driver == "fault" then -- the dialect's own, failing as the URL's `fault` says
    return core.fault_driver(load_driver(url:set{drivername = backend}))
  end
  local known = drivers[backend]
  local name = known and known[driver] or (not known and (driver ~= "" and driver or backend))
  if not name then
    core.exc_raise("NoSuchModuleError", ("there is no driver '%s' for the dialect '%s'"):format(driver, backend))
  end
  local ok, module = pcall(require, "argent.driver." .. name)
  if not ok then
    local why = tostring(module)
    if why:find("^module '[^']+' not found:") then -- the list of files that Lua looked for says nothing here
      why = ("there is no module 'argent.driver.%s' on package.cpath or package.path"):format(name)
      if not known then why = why .. " (argent brings sqlite and postgresql)" end
    end
    core.exc_raise("NoSuchModuleError", ("can't load the driver of %s: %s"):format(url.drivername, why))
  end
  if type(module) == "table" then module = module.driver end
  return module
end

-- ── engines ──────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.EngineOptions
---@field echo? boolean|"debug" log statements to stderr (or to `ag.event`'s log function)
---@field echo_pool? boolean|"debug"
---@field dialect? string|table whose SQL is written: a dialect of ag.dialects.register; default: the driver's
---@field pool_size? integer connections kept open (5)
---@field max_overflow? integer connections above pool_size (10); -1: no limit
---@field pool_timeout? number seconds to wait for a connection (30)
---@field pool_recycle? number seconds after which a connection is replaced; -1: never
---@field pool_pre_ping? boolean
---@field pool_use_lifo? boolean true: the connection used last is lent first (the default)
---@field pool_reset_on_return? "rollback"|"commit"|"none"|boolean
---@field poolclass? "QueuePool"|"NullPool"|"StaticPool"|"SingletonThreadPool"|"AssertionPool"
---@field pool_logging_name? string
---@field logging_name? string
---@field isolation_level? string
---@field execution_options? table
---@field connect_args? table options of the driver, over the URL's
---@field connect_timeout? number seconds (10)
---@field creator? fun(url: argent.URL): argent.URL|string gives the URL of each connection (tokens that change)
---@field query_cache_size? integer compiled statements kept (500); 0: none
---@field use_insertmanyvalues? boolean
---@field insertmanyvalues_page_size? integer
---@field skip_autocommit_rollback? boolean
---@field hide_parameters? boolean keep values out of logs and errors
---@field max_identifier_length? integer
---@field label_length? integer
---@field json_serializer? fun(value: any): string
---@field json_deserializer? fun(text: string): any
---@field wait? argent.WaitHook how to wait in the host's event loop; default poll(2)
---@field timeout? number seconds a statement may take
---@field lock_timeout? number seconds to wait for a database lock (SQLite)

---@class argent.WaitHook
---@field wait fun(fd: integer, mode: "r"|"w"|"rw", deadline: number?): boolean? wait until fd is ready; false: cannot wait here
---@field park fun(deadline: number?, token: lightuserdata?): boolean? wait until `wake(token)` or the deadline
---@field wake fun(token: lightuserdata) let whoever parked with this token go on; must not switch coroutines itself
---@field now? fun(): number seconds on the clock of the deadlines; default: CLOCK_MONOTONIC

--- An engine for a database. It opens nothing before the first connection.
---
---     local engine = ag.create_engine("sqlite:///app.db", {echo = true})
---@param url string|argent.URL
---@param options? argent.EngineOptions
---@return argent.Engine
function M.create_engine(url, options)
  if type(url) ~= "string" and core.kind_of(url) ~= "URL" then
    check.argument_error("ag.create_engine", 1, "expected a URL or its text, got " .. core.describe(url))
  end
  if options ~= nil and type(options) ~= "table" then
    check.argument_error("ag.create_engine", 2, "expected an options table, got " .. core.describe(options))
  end
  url = core.make_url(url)
  local engine = core.engine_new(url, options, load_driver(url))
  event._engine_made(engine)
  return engine
end

local config_types = {
  pool_size = "integer", max_overflow = "integer", pool_timeout = "number", pool_recycle = "number", timeout = "number",
  lock_timeout = "number", connect_timeout = "number", query_cache_size = "integer", insertmanyvalues_page_size = "integer",
  max_identifier_length = "integer", label_length = "integer", pool_pre_ping = "boolean", pool_use_lifo = "boolean",
  hide_parameters = "boolean", use_insertmanyvalues = "boolean", skip_autocommit_rollback = "boolean", echo = "echo",
  echo_pool = "echo",
}

local booleans = {["true"] = true, yes = true, on = true, y = true, t = true, ["1"] = true,
  ["false"] = false, no = false, off = false, n = false, f = false, ["0"] = false}

local function from_text(key, text)
  local want = config_types[key]
  if type(text) ~= "string" or not want then return text end
  local value
  if want == "echo" and text == "debug" then return text end
  if want == "boolean" or want == "echo" then value = booleans[text:lower()]
  elseif want == "integer" then value = math.tointeger(tonumber(text))
  else value = tonumber(text) end
  if value == nil then
    core.exc_raise("ArgumentError", ("ag.engine_from_config: '%s' is no %s: '%s'"):format(key, want, text))
  end
  return value
end

--- An engine from a table of texts, such as a configuration file gives: `sqlalchemy.url`, `sqlalchemy.pool_size` …
---
---     local engine = ag.engine_from_config({["db.url"] = "sqlite://", ["db.echo"] = "true"}, "db.")
---@param config table<string, any>
---@param prefix? string|table default "sqlalchemy."; or the options, with `prefix` among them
---@param options? argent.EngineOptions over those of the configuration
---@return argent.Engine
function M.engine_from_config(config, prefix, options)
  check.type("ag.engine_from_config", 1, config, "table")
  if type(prefix) == "table" and options == nil then
    options = {}
    for key, value in pairs(prefix) do options[key] = value end
    prefix, options.prefix = options.prefix, nil
  end
  prefix = prefix or "sqlalchemy."
  check.type("ag.engine_from_config", 2, prefix, "string")
  local url, opts = nil, {}
  for key, value in pairs(config) do
    if type(key) == "string" and key:sub(1, #prefix) == prefix then
      local name = key:sub(#prefix + 1)
      if name == "url" then url = value else opts[name] = from_text(name, value) end
    end
  end
  if options ~= nil then check.type("ag.engine_from_config", 3, options, "table") end
  for key, value in pairs(options or {}) do opts[key] = value end
  if not url then core.exc_raise("ArgumentError", ("ag.engine_from_config: the configuration has no '%surl'"):format(prefix)) end
  return M.create_engine(url, opts)
end

-- ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

--- After a block: commit what it did, or roll back and raise again what it raised.
local function end_block(tx, ok, ...)
  if ok then
    if tx.is_active then tx:commit() end
    tx:_block(false)
    return ...
  end
  local e = ...
  -- The block's own error is what the caller has to see, whatever the rollback says. What it could not undo must not be
  -- committed by a block around this one.
  if not pcall(tx.rollback, tx) then tx:_release() end
  tx:_block(false)
  error(e, 0)
end

local function run_block(tx, fn, ...)
  tx:_block(true)
  return end_block(tx, pcall(fn, ...))
end

local Connection = check.methods("Connection")
local Engine = check.methods("Engine")

--- Begin a transaction. With a function: commit when it returns, roll back when it raises, return what it returns. Without:
--- give the transaction; leaving its `<close>` scope rolls it back unless it was committed.
---
---     conn:begin(function(c) c:execute(stmt) end)
---     local tx <close> = conn:begin()
---@param fn? fun(conn: argent.Connection): ...
---@return argent.Transaction|any
function Connection:begin(fn)
  if fn == nil then return self:_begin() end
  check.callable("Connection:begin", 1, fn)
  return run_block(self:_begin(), fn, self)
end

--- A savepoint, in the same two forms. An error undoes only what happened since, and is raised again.
---
---     conn:begin_nested(function() conn:execute(risky) end)
---@param fn? fun(conn: argent.Connection): ...
---@return argent.Transaction|any
function Connection:begin_nested(fn)
  if fn == nil then return self:_begin_nested() end
  check.callable("Connection:begin_nested", 1, fn)
  return run_block(self:_begin_nested(), fn, self)
end

--- Connect and begin. With a function: commit when it returns, roll back when it raises; the connection goes back.
--- Without: a connection that has begun; commit it yourself.
---
---     engine:begin(function(conn) conn:execute(stmt) end)
---     local conn <close> = engine:begin()
---@param fn? fun(conn: argent.Connection): ...
---@return argent.Connection|any
function Engine:begin(fn)
  if fn == nil then
    local conn = self:connect()
    local ok, e = pcall(conn._begin, conn)
    if not ok then
      pcall(conn.close, conn)
      error(e, 0)
    end
    return conn
  end
  check.callable("Engine:begin", 1, fn)
  local conn <close> = self:connect()
  local values = table.pack(run_block(conn:_begin(), fn, conn))
  conn:close()
  return table.unpack(values, 1, values.n)
end

-- The core knows no foreign options and cannot tell of these itself.
local connection_options, engine_options, engine_dispose = Connection.execution_options, Engine.execution_options, Engine.dispose

--- Set options of this connection, over the engine's: `conn:execution_options{isolation_level = "AUTOCOMMIT"}`.
---@param options table
---@return argent.Connection self
function Connection:execution_options(options)
  connection_options(self, options)
  event._emit("set_connection_execution_options", self, self.engine, nil, self, options)
  return self
end

--- An engine with other options on the same pool.
---@param options table
---@return argent.Engine
function Engine:execution_options(options)
  local sub = engine_options(self, options)
  event._emit("set_engine_execution_options", nil, sub, nil, sub, options)
  return sub
end

--- Close the pool's idle connections and start an empty pool; lent ones close when they come back. `{close = false}`
--- leaves the sockets alone: for a forked child.
---@param options? {close: boolean?}
function Engine:dispose(options)
  engine_dispose(self, options)
  event._emit("engine_disposed", nil, self, nil, self)
end

local function may_retry(e)
  return core.exc_is_error(e) and e.retryable and not e.outcome_unknown
end

--- Run a function in a transaction, and again when the database asks for it (serialization failure, deadlock, a stale
--- SQLite snapshot). The function must be repeatable. Never after a commit whose outcome is unknown.
---
---     engine:run_in_transaction(function(conn) … end, {retries = 5})
---@param fn fun(conn: argent.Connection): ...
---@param options? {retries: integer?, backoff: number?} retries: further attempts (3); backoff: seconds before the first, doubled each time (0.01)
---@return any
function Engine:run_in_transaction(fn, options)
  check.callable("Engine:run_in_transaction", 1, fn)
  options = check.options("Engine:run_in_transaction", 2, options, {retries = "number", backoff = "number"})
  local retries, backoff = options.retries or 3, options.backoff or 0.01
  for attempt = 0, retries do
    local values = table.pack(pcall(self.begin, self, fn))
    if values[1] then return table.unpack(values, 2, values.n) end
    if attempt >= retries or not may_retry(values[2]) then error(values[2], 0) end
    self:_sleep(backoff * 2 ^ attempt * (0.5 + math.random()))
  end
end

--- The connection beneath, outside any transaction handling: `raw:execute(text, {values})`, `raw.driver_connection`, `raw:close()`.
---@return argent.RawConnection
function Engine:raw_connection()
  return self:_raw_connection()
end

return M
