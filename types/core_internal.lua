---@meta
-- What argent's own Lua modules call of argent.core for engines, schemas and compilation, for a language server. Nothing here is run.

--- What require "argent.core" gives.
---@class argent.core
local core = {}

--- The n-th allocation of the core from now fails (0: none), and those after it.
---@param n integer
---@param forever? boolean
function core.debug_alloc_fail(n, forever) end

--- Counters of the core's allocator.
---@return {calls: integer, live: integer, handles: integer, deferred: integer, fail_at: integer}
function core.debug_memory() end

--- "Connection", "Row" …; nil when it is no value of argent's
---@param value any
---@return string?
function core.kind_of(value) end

--- The methods of a class, for argent's Lua modules to add to.
---@param class string
---@return table<string, function>
function core.methods(class) end

--- "app.lua:12", the user's code being run
---@return string
function core.where() end

--- A value for messages
---@param value any
---@param short? boolean
---@return string
function core.describe(value, short) end

--- The nearest name, for hints
---@param name string
---@param names string[]
---@return string?
function core.nearest(name, names) end

--- A class of errors
---@param name string
---@return table?
function core.exc_class(name) end

--- Names of the core's classes of errors
---@return string[]
function core.exc_names() end

--- A class that only Lua raises
---@param name string
---@param parent string
---@return table
function core.exc_define(name, parent) end

--- Is it an error object of argent's?
---@param value any
---@return boolean
function core.exc_is_error(value) end

--- Raise with the place of the user's code.
---@param class string
---@param message string
---@param fields? table
function core.exc_raise(class, message, fields) end

--- An engine from checked options
---@param url argent.URL
---@param options table
---@param driver lightuserdata
---@return argent.Engine
function core.engine_new(url, options, driver) end

--- The engine it was made from by execution_options
---@param engine argent.Engine
---@return argent.Engine?
function core.engine_parent(engine) end

--- Is the engine alive and its pool this one?
---@param engine argent.Engine
---@param pool? argent.Pool
---@return boolean
function core.engine_pool_is(engine, pool) end

--- The bit of an engine event
---@param name string
---@return integer?
function core.event_bit(name) end

--- Set what is called as dispatch(name, connection, engine, pool, …).
---@param dispatch function
function core.event_dispatch(dispatch) end

--- Which events have listeners on an engine, pool or connection.
---@param target any
---@param mask integer
function core.event_mask(target, mask) end

--- All names of engine and pool events
---@return string[]
function core.event_names() end

--- A driver that wraps another and fails by the option `fault`
---@param driver lightuserdata
---@return lightuserdata
function core.fault_driver(driver) end

--- Set the handler of log lines (nil: stderr); gives the one before
---@param handler? fun(logger: string, level: string, text: string)
---@return function?
function core.log_handler(handler) end

--- A URL from its parts
---@param drivername string|table
---@param parts? table
---@return argent.URL
function core.url_create(drivername, parts) end

--- The present in UTC
---@param zoned? boolean
---@return argent.datetime
function core.datetime_now(zoned) end

--- A zoned datetime
---@param seconds number
---@return argent.datetime
function core.datetime_from_timestamp(seconds) end

--- Names of the columns
---@param row argent.Row
---@return string[]
function core.row_keys(row) end

--- A plain table of a row
---@param row argent.Row
---@param options? {array: boolean?}
---@return table
function core.row_to_table(row, options) end

--- Values, NULL as nil
---@param row argent.Row
---@param from? integer
---@param to? integer
---@return ...
function core.row_unpack(row, from, to) end

--- CREATE TABLE
---@param table argent.Table
---@param later argent.Constraint[]?
---@param flags table
---@return argent.DDLElement
function core.ddl_create_table(table, later, flags) end

--- DROP TABLE
---@param table argent.Table
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_table(table, flags) end

--- CREATE VIEW, CREATE TABLE AS
---@param table argent.Table
---@param select argent.Select
---@param flags table
---@param is_table boolean?
---@return argent.DDLElement
function core.ddl_create_view(table, select, flags, is_table) end

--- DROP VIEW
---@param table argent.Table
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_view(table, flags) end

--- CREATE INDEX
---@param index argent.Index
---@param flags table
---@return argent.DDLElement
function core.ddl_create_index(index, flags) end

--- DROP INDEX
---@param index argent.Index
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_index(index, flags) end

--- ALTER TABLE … ADD
---@param constraint argent.Constraint
---@param flags table
---@return argent.DDLElement
function core.ddl_add_constraint(constraint, flags) end

--- ALTER TABLE … DROP CONSTRAINT
---@param constraint argent.Constraint
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_constraint(constraint, flags) end

--- CREATE SEQUENCE
---@param sequence argent.Sequence
---@param flags table
---@return argent.DDLElement
function core.ddl_create_sequence(sequence, flags) end

--- DROP SEQUENCE
---@param sequence argent.Sequence
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_sequence(sequence, flags) end

--- CREATE SCHEMA
---@param name string
---@param flags table
---@return argent.DDLElement
function core.ddl_create_schema(name, flags) end

--- DROP SCHEMA
---@param name string
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_schema(name, flags) end

--- CREATE TYPE, CREATE DOMAIN
---@param type argent.Type
---@param schema string?
---@param extra table?
---@param flags table
---@return argent.DDLElement
function core.ddl_create_type(type, schema, extra, flags) end

--- DROP TYPE, DROP DOMAIN
---@param type argent.Type
---@param schema string?
---@param flags table
---@return argent.DDLElement
function core.ddl_drop_type(type, schema, flags) end

--- COMMENT ON
---@param object any
---@param comment string?
---@return argent.DDLElement
function core.ddl_comment(object, comment) end

---@param column argent.Column
---@return argent.DDLElement
function core.ddl_create_column(column) end

--- DDL of the user's own
---@param text string
---@param context table?
---@return argent.DDLElement
function core.ddl_text(text, context) end

--- The column handle stands for it from now on.
---@param table argent.Table
---@param column argent.Column
---@param spec table
---@return argent.Column
function core.schema_add_column(table, column, spec) end

--- A constraint in a table
---@param table argent.Table
---@param data table
---@param spec table
---@return argent.Constraint
function core.schema_add_constraint(table, data, spec) end

--- An index of a table
---@param table argent.Table
---@param data table
---@param spec table
---@return argent.Index
function core.schema_add_index(table, data, spec) end

--- Another name for a constraint or index
---@param handle userdata
---@param is_index boolean
---@param name string?
---@param quote boolean?
function core.schema_rename(handle, is_index, name, quote) end

--- A Column without a table
---@param data table
---@param clause argent.Expression? what it is in expressions until then
---@return argent.Column
function core.schema_column(data, clause) end

--- The table columns in an expression, repetitions included
---@param expression argent.Expression
---@return argent.Column[]
function core.schema_columns_of(expression) end

--- The tables in an expression, repetitions included
---@param expression argent.Expression
---@return argent.Table[]
function core.schema_tables_of(expression) end

--- The data table of a schema item
---@param handle any
---@return table
function core.schema_data(handle) end

--- The second is created first.
---@param table argent.Table
---@param on argent.Table
function core.schema_depend(table, on) end

--- Put a column of the table at another place
---@param table argent.Table
---@param column argent.Column
---@param place integer
function core.schema_move_column(table, column, place) end

--- Columns and constraints are complete.
---@param table argent.Table
function core.schema_finish(table) end

--- The column that a foreign key names; raises when it cannot be found
---@param constraint argent.Constraint
---@param i integer
---@return argent.Column
function core.schema_fk_target(constraint, i) end

--- An SQL expression or text()?
---@param value any
---@return boolean
function core.schema_is_expression(value) end

--- A new MetaData
---@param data table
---@param schema string?
---@return argent.MetaData
function core.schema_metadata(data, schema) end

--- nextval
---@param sequence argent.Sequence
---@return argent.Expression
function core.schema_next_value(sequence) end

--- The table has the constraint no more.
---@param constraint argent.Constraint
function core.schema_remove_constraint(constraint) end

--- The constraint is for these dialects.
---@param constraint argent.Constraint
---@param names string[]
function core.schema_only_dialects(constraint, names) end

--- The table has a place in the MetaData.
---@param metadata argent.MetaData
---@param table argent.Table
function core.schema_publish(metadata, table) end

--- The table leaves the MetaData.
---@param metadata argent.MetaData
---@param table argent.Table
function core.schema_remove(metadata, table) end

--- What a SELECT gives
---@param select argent.Select
---@return {name: string?, type: argent.Type}[]
function core.schema_select_columns(select) end

--- A sequence
---@param metadata argent.MetaData?
---@param data table
---@param spec table
---@return argent.Sequence
function core.schema_sequence(metadata, data, spec) end

--- Tables in the order of creation, constraints left to ALTER
---@param tables argent.Table[]
---@return argent.Table[], argent.Constraint[]
function core.schema_sort(tables) end

--- A Table without columns, not published
---@param metadata argent.MetaData
---@param data table
---@param spec table
---@return argent.Table
function core.schema_table(metadata, data, spec) end

--- Set how hooks of custom constructs are found and run.
---@param find function
---@param run function
function core.compile_hooks(find, run) end

--- A built-in construct has a hook from now on; false: there is no such kind
---@param kind string
---@return boolean
function core.compile_override(kind) end

--- The number of a custom construct's class
---@param node any
---@return integer?
function core.custom_class(node) end

--- A function of a custom class
---@param class integer
---@param flags table
---@param packages string[]
---@param name string
---@param type argent.Type?
---@param ... any
---@return argent.Function
function core.custom_func(class, flags, packages, name, type, ...) end

--- The table given to custom_new
---@param element any
---@return table?
function core.custom_holder(element) end

--- An element of a custom class
---@param class integer
---@param flags table
---@param identity any
---@param type argent.Type?
---@param holder table?
---@param children any[]
---@return any
function core.custom_new(class, flags, identity, type, holder, children) end

--- Is there a dialect of this name?
---@param name string
---@return boolean
function core.dialect_exists(name) end

--- What a dialect can, under SQLAlchemy's names
---@param name string
---@return table<string, boolean|integer|string>
function core.dialect_features(name) end

--- A dialect written in Lua
---@param name string
---@param base string
---@param spec table
function core.dialect_new(name, base, spec) end

--- "pkg.name" of ag.func.pkg.name
---@param generator any
---@return string
function core.func_name(generator) end

--- Set the table of registered function classes.
---@param classes table
function core.func_registry(classes) end

--- Is it the name of a construct?
---@param name string
---@return boolean
function core.is_kind(name) end

--- Is it an SQL construct?
---@param value any
---@return boolean
function core.is_node(value) end

--- An identifier as that dialect writes it
---@param dialect any
---@param name string
---@return string
function core.quote_name(dialect, name) end

--- A type as that dialect writes it
---@param dialect any
---@param type argent.Type
---@return string
function core.type_sql(dialect, type) end

--- Its name and the number of its hooks
---@param type argent.Type
---@return string, integer
function core.type_identity(type) end

--- The type as a column of a table has it: named types in it get their schema
---@param type argent.Type
---@param table_schema string?
---@param metadata_schema string?
---@param force? boolean the table's schema, whatever the types say
---@return argent.Type
function core.type_in_schema(type, table_schema, metadata_schema, force) end

--- In an INSERT or UPDATE: what it gives to another column
---@param column argent.Expression
---@return argent.Expression
function core.from_dml_column(column) end

--- Tells nodes apart: two boxes of one node have the same
---@param construct any
---@return lightuserdata
function core.node_id(construct) end

--- Direct parts
---@param construct any
---@return any[]
function core.node_children(construct) end

--- SQLAlchemy's __visit_name__
---@param construct any
---@return string
function core.node_visit_name(construct) end

--- The construct with parts exchanged
---@param construct any
---@param old any[]
---@param new any[]
---@return any
function core.node_replace(construct, old, new) end

--- The construct with columns of another FROM
---@param from argent.FromClause
---@param construct any
---@param on_names boolean
---@return any
function core.node_adapt(from, construct, on_names) end

--- The statement with a syntax extension
---@param statement argent.Statement
---@param extension any
---@param point string
---@param replace boolean
---@return argent.Statement
function core.stmt_extend(statement, extension, point, replace) end

--- DISTINCT ON that is refused where there is none
---@param select argent.Select
---@param ... any
---@return argent.Select
function core.select_distinct_on(select, ...) end

--- Instead of those that it has
---@param table argent.Table
---@param changes {comment: string?, options: table?}
function core.schema_change(table, changes) end

--- What a CREATE text of SQLite's catalog says; raises ArgumentError when it is none.
---@param text string
---@return table
function core.sqlite_parse_create(text) end

--- The Booleans and Enums with create_constraint that the type is on some dialect, with the index of each
---@param type argent.Type
---@return {index: integer, type: argent.Type}[]
function core.type_checks(type) end
