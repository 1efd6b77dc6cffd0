---@meta
-- Classes of the engine that C makes: what a language server needs to know of Engine, Connection, Transaction, Result, Row, URL, Pool
-- and of the value types. Nothing here is run.

-- ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

--- SQL NULL in what you pass; equal to cjson.null.
---@class argent.null: lightuserdata

---@alias argent.Value nil|boolean|integer|number|string|table|argent.date|argent.time|argent.datetime|argent.interval|argent.decimal|argent.null

---@class argent.date
---@field year integer
---@field month integer
---@field day integer
---@field infinite boolean
---@operator add(argent.interval): argent.date|argent.datetime
---@operator sub(argent.interval|argent.date): argent.date|argent.datetime|argent.interval
local date = {}
--- "2024-01-05"
---@return string
function date:isoformat() end
--- Monday 1 … Sunday 7
---@return integer
function date:isoweekday() end

---@class argent.time
---@field hour integer
---@field minute integer
---@field second integer
---@field microsecond integer
---@field offset integer? seconds east of UTC
local time = {}
---@return string
function time:isoformat() end

---@class argent.datetime: argent.date
---@field hour integer
---@field minute integer
---@field second integer
---@field microsecond integer
---@field offset integer? seconds east of UTC; nil: naive
---@operator add(argent.interval): argent.datetime
---@operator sub(argent.interval|argent.datetime): argent.datetime|argent.interval
local datetime = {}
--- "2024-01-05T10:00:00"
---@param separator? string one character, default "T"
---@return string
function datetime:isoformat(separator) end
---@return argent.date
function datetime:date() end
---@return argent.time
function datetime:time() end
--- Seconds since 1970-01-01 UTC; raises for naive ones.
---@return number
function datetime:timestamp() end

---@class argent.interval
---@field months integer
---@field days integer
---@field microseconds integer
---@operator add(argent.interval): argent.interval
---@operator sub(argent.interval): argent.interval
---@operator mul(integer): argent.interval
---@operator unm: argent.interval
local interval = {}
---@return string
function interval:isoformat() end
--- Raises when there are months.
---@return number
function interval:total_seconds() end

---@class argent.decimal
---@field digits integer significant digits
---@field scale integer digits after the point
---@operator add(argent.decimal|integer): argent.decimal
---@operator sub(argent.decimal|integer): argent.decimal
---@operator mul(argent.decimal|integer): argent.decimal
---@operator div(argent.decimal|integer): argent.decimal
---@operator unm: argent.decimal
local decimal = {}
--- Half away from zero.
---@param digits? integer after the point, default 0
---@return argent.decimal
function decimal:round(digits) end
--- The quotient with exactly `scale` digits after the point.
---@param other argent.decimal|integer
---@param scale integer
---@return argent.decimal
function decimal:div(other, scale) end
--- The nearest float; nil for NaN and infinities.
---@return number?
function decimal:tonumber() end
--- nil when it is none or does not fit.
---@return integer?
function decimal:tointeger() end

-- ── URLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.URL
---@field drivername string
---@field username string?
---@field password string?
---@field host string?
---@field port integer?
---@field database string?
---@field query table<string, string|string[]>
---@field normalized_query table<string, string[]> a list for every key
local url = {}
--- A copy with other parts; ag.null clears one.
---@param parts {drivername?: string, username?: string, password?: string, host?: string, port?: integer, database?: string, query?: table}
---@return argent.URL
function url:set(parts) end
---@param query table<string, string|string[]>
---@param options? {append?: boolean}
---@return argent.URL
function url:update_query_dict(query, options) end
---@param pairs string[][]
---@param options? {append?: boolean}
---@return argent.URL
function url:update_query_pairs(pairs, options) end
---@param text string "a=1&b=2"
---@param options? {append?: boolean}
---@return argent.URL
function url:update_query_string(text, options) end
---@param names string[]
---@return argent.URL
function url:difference_update_query(names) end
---@param options? {hide_password?: boolean} default true
---@return string
function url:render_as_string(options) end
---@return string
function url:get_backend_name() end
---@return string
function url:get_driver_name() end

-- ── engine and pool ──────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.Engine
---@field url argent.URL
---@field name string the database: "sqlite", "postgresql"
---@field driver string
---@field dialect argent.Dialect of the same name, or the dialect in Lua that the engine was given
---@field pool argent.Pool
---@field server_version integer? 150020 for 15.20, 3040001 for SQLite 3.40.1; after the first connection
---@field echo boolean|"debug" can be assigned
---@field hide_parameters boolean
---@field logging_name string?
---@field engine argent.Engine itself
---@field compiled_cache {hits: integer, misses: integer, uncached: integer, evictions: integer, size: integer, capacity: integer, bytes: integer}? of the statement cache
local engine = {}
--- Borrow a connection. `local conn <close> = engine:connect()` gives it back, rolled back unless committed.
---@return argent.Connection
function engine:connect() end
---@return table
function engine:get_execution_options() end
--- Forget the compiled texts of all statements.
function engine:clear_compiled_cache() end

---@class argent.Pool
---@field name string
local pool = {}
---@return string
function pool:status() end
--- All counters: size checked_in checked_out overflow waiting draining connects checkouts recycled invalidated timeouts ping_failures.
---@return table<string, integer>
function pool:stats() end
---@return integer
function pool:size() end
---@return integer
function pool:checkedin() end
---@return integer
function pool:checkedout() end
---@return integer
function pool:overflow() end
---@return number seconds
function pool:timeout() end
--- Close the idle connections; lent ones close when they come back.
function pool:dispose() end

---@class argent.RawConnection
---@field driver_connection lightuserdata sqlite3 * or PGconn *
---@field backend_id integer
---@field server_version integer
---@field is_valid boolean
---@field id integer
---@field age number seconds
---@field info table
local raw = {}
--- Run driver text outside any transaction handling; rows as arrays with ag.null.
---@param text string
---@param parameters? argent.Value[]
---@return any[][]
function raw:execute(text, parameters) end
--- SQLite: a function of Lua for statements of this connection (a listener of "connect" makes it known to all). It gets what SQLite
--- holds (nil for NULL), must not yield and cannot use the connection. nargs -1: any number.
---@param name string
---@param nargs integer
---@param fn fun(...: argent.Value): argent.Value?
---@param options? {deterministic?: boolean}
function raw:create_function(name, nargs, fn, options) end
--- SQLite: an order of texts: `fn(a, b)` gives an integer below, equal to or above 0.
---@param name string
---@param fn fun(a: string, b: string): integer
function raw:create_collation(name, fn) end
function raw:close() end
function raw:detach() end
---@param options? {soft?: boolean}
function raw:invalidate(options) end
--- A function of SQL written in Lua, on this connection of SQLite.
---@param name string
---@param nargs integer -1: any number
---@param f fun(...): any
---@param options? {deterministic?: boolean}
function raw:create_function(name, nargs, f, options) end
--- A collation written in Lua: gives a number below, equal to or above 0.
---@param name string
---@param f fun(a: string, b: string): integer
function raw:create_collation(name, f) end

-- ── connections and transactions ─────────────────────────────────────────────────────────────────────────────────────

---@class argent.Connection
---@field engine argent.Engine
---@field dialect argent.Dialect
---@field closed boolean
---@field invalidated boolean
---@field info table lives as long as the database connection
---@field connection argent.RawConnection what is beneath, to look at
---@field default_isolation_level string
local conn = {}
--- Execute a statement with parameters by name: `{a = 1}`, or a list of such tables (executemany).
---
---     conn:execute(ag.text "insert into users (name) values (:name)", {{name = "ann"}, {name = "bob"}})
---@param statement any a statement, text(), a function
---@param parameters? table
---@param options? {execution_options?: table}
---@return argent.Result
function conn:execute(statement, parameters, options) end
--- The first column of the first row; nil when there is none.
---@param statement any
---@param parameters? table
---@param options? {execution_options?: table}
---@return any
function conn:scalar(statement, parameters, options) end
---@param statement any
---@param parameters? table
---@param options? {execution_options?: table}
---@return argent.Result
function conn:scalars(statement, parameters, options) end
--- Pass text to the driver untouched; parameters by position, `{1, "x"}` or a list of such arrays.
---@param text string
---@param parameters? table
---@param options? {execution_options?: table}
---@return argent.Result
function conn:exec_driver_sql(text, parameters, options) end
function conn:commit() end
function conn:rollback() end
function conn:close() end
--- Take the connection out of the pool for good.
function conn:detach() end
--- Close the database connection; the handle reconnects at its next use.
---@param cause? any
function conn:invalidate(cause) end
---@return string
function conn:get_isolation_level() end
---@return table
function conn:get_execution_options() end
---@return boolean
function conn:in_transaction() end
---@return boolean
function conn:in_nested_transaction() end
---@return argent.Transaction?
function conn:get_transaction() end
---@return argent.Transaction?
function conn:get_nested_transaction() end
---@param xid? string
---@return argent.Transaction
function conn:begin_twophase(xid) end
---@return string[]
function conn:recover_twophase() end
---@param xid string
---@param options? {recover?: boolean}
function conn:commit_prepared(xid, options) end
---@param xid string
---@param options? {recover?: boolean}
function conn:rollback_prepared(xid, options) end

---@class argent.Transaction
---@field is_active boolean
---@field is_valid boolean
---@field nested boolean a savepoint
---@field connection argent.Connection
---@field xid string?
---@field savepoint string?
local tx = {}
function tx:commit() end
function tx:rollback() end
--- Roll back unless it has ended.
function tx:close() end
--- First phase of two.
function tx:prepare() end

-- ── results and rows ─────────────────────────────────────────────────────────────────────────────────────────────────

--- A row: `row.name`, `row[1]`, `#row`, `pairs(row)`. It has no methods, so every column name is free.
---@class argent.Row
---@field [string|integer] any

---@class argent.Result
---@field closed boolean
---@field rowcount integer rows matched or changed; -1 unknown
---@field lastrowid integer?
---@field returns_rows boolean
---@field is_insert boolean
---@field inserted_primary_key argent.Row?
---@field inserted_primary_key_rows argent.Row[]
---@field returned_defaults argent.Row?
---@field returned_defaults_rows argent.Row[]
---@field tag string
---@overload fun(): any
local result = {}
---@return any[]
function result:all() end
---@return any[]
function result:fetchall() end
---@param n? integer default 1
---@return any[]
function result:fetchmany(n) end
---@return any?
function result:fetchone() end
--- The first row or nil; closes the result.
---@return any?
function result:first() end
--- Exactly one row, else NoResultFound or MultipleResultsFound.
---@return any
function result:one() end
---@return any?
function result:one_or_none() end
---@return any
function result:scalar() end
---@return any
function result:scalar_one() end
---@return any?
function result:scalar_one_or_none() end
--- The values of one column; NULL is ag.null in lists and loops.
---@param column? string|integer|any default the first
---@return argent.Result
function result:scalars(column) end
--- Rows as plain tables by name.
---@return argent.Result
function result:mappings() end
--- `for i, a, b in result:tuples() do`
---@return argent.Result
function result:tuples() end
--- Rows of these columns only.
---@param ... string|integer|any
---@return argent.Result self
function result:columns(...) end
--- Leave out repeated rows.
---@param key? fun(row: any): any what tells rows apart
---@return argent.Result self
function result:unique(key) end
---@param n integer
---@return argent.Result self
function result:yield_per(n) end
--- `for row in result:rows() do`; leaving the loop closes the result.
---@return fun(): any
function result:rows() end
--- `for part in result:partitions(100) do`
---@param n? integer default yield_per's
---@return fun(): any[]?
function result:partitions(n) end
---@return string[]
function result:keys() end
--- A function that gives the result again, as often as called.
---@return fun(): argent.Result
function result:freeze() end
---@param ... argent.Result
---@return argent.Result
function result:merge(...) end
--- Row count of each parameter set.
---@return integer[]
function result:set_rowcounts() end
function result:close() end
--- Columns whose default was made before the statement was sent; of insert() and update() only.
---@return argent.Column[]
function result:prefetch_cols() end
--- Columns that the server filled and that did not come back; of insert() and update() only.
---@return argent.Column[]
function result:postfetch_cols() end
--- Does rowcount count the rows that the condition met?
---@return boolean
function result:supports_sane_rowcount() end
--- The same for a list of parameters.
---@return boolean
function result:supports_sane_multi_rowcount() end
