---@meta
-- What argent's own Lua modules call of argent.core for the ORM, for a language server. Nothing here is run.

--- What require "argent.core" gives.
---@class argent.core
local core = {}

--- Set the functions that C calls.
---@param hooks table<string, function>
function core.orm_hooks(hooks) end

--- A registry of mapped classes
---@return userdata
function core.orm_registry() end

--- A mapped class
---@param registry userdata
---@param spec table
---@return argent.orm.Class
function core.orm_class(registry, spec) end

--- A relationship; what was found out about it
---@param class argent.orm.Class
---@param spec table
---@return table
function core.orm_relation(class, spec) end

--- back_populates
---@param class argent.orm.Class
---@param key string
---@param other argent.orm.Class
---@param other_key string
function core.orm_link(class, key, other, other_key) end

--- The joining pairs of attributes, and those of the second half of a many-to-many
---@param class argent.orm.Class
---@param key string
---@return table[], table[]?
function core.orm_pairs(class, key) end

--- The join condition (primaryjoin or secondaryjoin)
---@param class argent.orm.Class
---@param key string
---@param secondary boolean
---@return argent.Expression
function core.orm_condition(class, key, secondary) end

--- A relationship's order_by
---@param class argent.orm.Class
---@param key string
---@return argent.Expression[]
function core.orm_order_by(class, key) end

--- Relationships are complete.
---@param class argent.orm.Class
function core.orm_finish(class) end

--- The class of an object
---@param object any
---@return argent.orm.Class?
function core.orm_class_of(object) end

--- "members", "descriptors", "attrs", "info" or "names"
---@param class argent.orm.Class
---@param part string
---@return table
function core.orm_class_part(class, part) end

--- {pk = {names}, ncolumns =, tables =, discriminator =, identity =, abstract =}
---@param class argent.orm.Class
---@return table
function core.orm_class_facts(class) end

--- {key =, expr =, deferred =, group =, raise =, pk =, name =} of each column attribute
---@param class argent.orm.Class
---@return table[]
function core.orm_slots(class) end

--- Is the first the second or a subclass of it?
---@param class argent.orm.Class
---@param other argent.orm.Class
---@return boolean
function core.orm_isa(class, other) end

--- Which events have listeners.
---@param class argent.orm.Class
---@param mask integer
---@param init boolean?
function core.orm_set_events(class, mask, init) end

--- Assignments go through the validate hook.
---@param class argent.orm.Class
---@param attribute string
---@param on boolean
function core.orm_set_validated(class, attribute, on) end

--- User.posts
---@param facts table
---@return argent.RelationshipAttribute
function core.orm_attribute(facts) end

--- What it is about
---@param attribute argent.RelationshipAttribute
---@return argent.orm.RelationshipFacts
function core.orm_attribute_info(attribute) end

--- An alias of a class
---@param class argent.orm.Class
---@param from argent.FromClause
---@param facts table
---@return argent.orm.Alias
function core.orm_alias(class, from, facts) end

--- class, FROM, facts
---@param alias argent.orm.Alias
---@return argent.orm.Class, argent.FromClause, table
function core.orm_alias_info(alias) end

--- Distinct values of a column of the objects whose relationship is not loaded, and those objects
---@param objects argent.orm.Entity[]
---@param relation string
---@param slot string
---@param missing? boolean
---@return any[], argent.orm.Entity[]
function core.orm_keys(objects, relation, slot, missing) end

--- column IN keys, as one array parameter
---@param columns any
---@param keys any[]
---@return argent.Expression
function core.orm_in_keys(columns, keys) end

--- Every parent gets its members.
---@param parents argent.orm.Entity[]
---@param relation string
---@param column string
---@param members argent.orm.Entity[]
---@param keys any
function core.orm_distribute(parents, relation, column, members, keys) end

--- What the database has.
---@param object argent.orm.Entity
---@param relation string
---@param value any
function core.orm_set_loaded(object, relation, value) end

--- Is the attribute in memory?
---@param object argent.orm.Entity
---@param attribute string
---@return boolean
function core.orm_is_loaded(object, attribute) end

--- Names of columns that are not loaded
---@param object argent.orm.Entity
---@return string[]
function core.orm_unloaded(object) end

--- The value in memory; loaded?
---@param object argent.orm.Entity
---@param attribute string
---@return any, boolean
function core.orm_get(object, attribute) end

--- Identity values; nothing when it has none
---@param object argent.orm.Entity
---@return ...
function core.orm_key(object) end

--- "transient" …, the session, was its row deleted
---@param object argent.orm.Entity
---@return string, argent.Session?, boolean
function core.orm_state(object) end

--- make_transient, make_transient_to_detached
---@param object argent.orm.Entity
---@param state string
function core.orm_mark(object, state) end

--- flag_modified
---@param object argent.orm.Entity
---@param attribute string
function core.orm_flag(object, attribute) end

--- dirty, old value, is it known
---@param object argent.orm.Entity
---@param attribute string
---@return boolean, any, boolean
function core.orm_history(object, attribute) end

--- Its free table
---@param object argent.orm.Entity
---@return table
function core.orm_info(object) end

--- A loader option of these objects.
---@param objects argent.orm.Entity[]
---@param attribute string
---@param value any
function core.orm_object_options(objects, attribute, value) end

--- A loader option of the object
---@param object argent.orm.Entity
---@param attribute string
---@return any
function core.orm_object_option(object, attribute) end

--- A session
---@param info table
---@return argent.Session
function core.orm_session(info) end

--- How rows become objects
---@param spec table[]
---@param columns integer
---@return userdata
function core.orm_plan(spec, columns) end

--- items, rows, collected, loaded
---@param session argent.Session
---@param result argent.Result
---@param plan userdata
---@param populate_existing boolean
---@return any[], integer, table, table?
function core.orm_load(session, result, plan, populate_existing) end

--- A result of objects
---@param items any[]
---@param rows integer
---@param names string[]
---@param must_be_unique boolean
---@return argent.Result
function core.orm_result(items, rows, names, must_be_unique) end

--- Is a class in the columns clause?
---@param statement argent.Statement
---@return boolean
function core.orm_has_classes(statement) end

--- What the columns clause lists; has it classes?
---@param statement argent.Statement
---@return any[], boolean
function core.orm_select_items(statement) end

--- The class when it is all of the columns clause
---@param select argent.Select
---@return argent.orm.Class?
function core.orm_select_class(select) end

--- {limited =, distinct =, grouped =, order_by =}
---@param select argent.Select
---@return table
function core.orm_select_facts(select) end

--- Number of result columns
---@param select argent.Select
---@return integer
function core.orm_column_count(select) end

--- The statement with loader options
---@param statement argent.Statement
---@param options argent.LoaderOption[]
---@return argent.Statement
function core.orm_with_options(statement, options) end

--- Its loader options
---@param statement argent.Statement
---@return argent.LoaderOption[]?
function core.orm_options(statement) end

--- The class that it writes
---@param statement argent.Statement
---@return argent.orm.Class?
function core.orm_dml_class(statement) end

--- Keys of the columns that an UPDATE sets
---@param statement argent.Statement
---@return string[]
function core.orm_dml_columns(statement) end

--- A collection as far as it is known, for additions and removals without loading it
---@param object argent.Object
---@param attribute string
---@return argent.Collection
function core.orm_queue(object, attribute) end

--- The select with the same WHERE
---@param statement argent.Statement
---@param select argent.Select
---@return argent.Select
function core.orm_dml_where(statement, select) end

--- Columns exchanged
---@param expression argent.Expression
---@param pairs table[]
---@return argent.Expression
function core.orm_adapt(expression, pairs) end

--- Without DESC, NULLS FIRST …
---@param expression argent.Expression
---@return argent.Expression
function core.orm_unwrap_order(expression) end

--- The Column that the expression is
---@param expression any
---@return argent.Column?
function core.orm_is_column(expression) end

--- Are both the same column?
---@param a any
---@param b any
---@return boolean
function core.orm_same_column(a, b) end

--- From now on what enters sessions is told to the attach hook, and loaders give all new objects.
function core.orm_watch() end
