---@meta
-- Statements, which C makes, for a language server. Nothing here is run.

--- What can be executed. Immutable: every method gives a new one.
---@class argent.Statement
---@field is_select boolean a SELECT, a compound, or text() with columns()
---@field is_insert boolean
---@field is_update boolean
---@field is_delete boolean
---@field is_dml boolean an INSERT, UPDATE or DELETE
---@field is_text boolean text(), also with columns()
local Statement = {}

--- The SQL text for a dialect
---@param options? argent.CompileOptions
---@return argent.Compiled
function Statement:compile(options) end

--- The same structure?
---@param other any
---@return boolean
function Statement:compare(other) end

--- Options for every execution of this statement: timeout, yield_per, stream_results, schema_translate_map …
---@param options table
---@return self
function Statement:execution_options(options) end

--- A new table of them
---@return table
function Statement:get_execution_options() end

--- With other values in its named binds
---@param values table<string, any>
---@return self
function Statement:params(values) end

--- The same, and all its binds become others than those of the statement it was made from
---@param values? table<string, any>
---@return self
function Statement:unique_params(values) end

--- The FROM list of a SELECT, joins worked out, before correlation
---@return argent.FromClause[]
function Statement:get_final_froms() end

--- The column of Statement that stands for `column`: itself, or what comes from it; nil: none
---@param column any
---@param options? {require_embedded: boolean?} only where the column's own table stands inside
---@return argent.Expression?
function Statement:corresponding_column(column, options) end

--- Is `from` this, or does this read from it?
---@param from any
---@return boolean
function Statement:is_derived_from(from) end

--- The same with `alias`, an alias or subquery of `old`, in its place, under its columns too
---@param old any
---@param alias any
---@return argent.Statement
function Statement:replace_selectable(old, alias) end

--- Its direct parts
---@return any[]
function Statement:get_children() end

--- What Select and CompoundSelect share.
---@class argent.SelectBase: argent.Statement
local SelectBase = {}

--- WITH, also for CTEs that nothing refers to
---@param ... argent.CTE
---@return self
function SelectBase:add_cte(...) end

--- UNION
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:union(...) end

--- UNION ALL
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:union_all(...) end

--- EXCEPT
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:except_(...) end

--- EXCEPT ALL
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:except_all(...) end

--- INTERSECT
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:intersect(...) end

--- INTERSECT ALL
---@param ... argent.SelectBase
---@return argent.CompoundSelect
function SelectBase:intersect_all(...) end

--- GROUP BY; one nil clears it
---@param ... any
---@return self
function SelectBase:group_by(...) end

--- ORDER BY; one nil clears it
---@param ... any
---@return self
function SelectBase:order_by(...) end

--- LIMIT
---@param n? integer|argent.Expression
---@return self
function SelectBase:limit(n) end

--- OFFSET
---@param n? integer|argent.Expression
---@return self
function SelectBase:offset(n) end

--- FETCH FIRST n ROWS
---@param n integer|argent.Expression
---@param options? {with_ties: boolean?, percent: boolean?}
---@return self
function SelectBase:fetch(n, options) end

--- LIMIT and OFFSET of rows start … stop-1, from 0
---@param start integer
---@param stop integer
---@return self
function SelectBase:slice(start, stop) end

--- FOR UPDATE; nothing on SQLite
---@param options? {nowait: boolean?, read: boolean?, of: any, skip_locked: boolean?, key_share: boolean?}
---@return self
function SelectBase:with_for_update(options) end

--- ag.LABEL_STYLE_*
---@param style integer
---@return self
function SelectBase:set_label_style(style) end

--- ag.LABEL_STYLE_*; of a set operation that of its first SELECT
---@return integer
function SelectBase:get_label_style() end

--- In brackets, as a FROM element
---@param name? string
---@return argent.FromClause
function SelectBase:subquery(name) end

--- The same
---@param name? string
---@return argent.FromClause
function SelectBase:alias(name) end

--- LATERAL (…)
---@param name? string
---@return argent.FromClause
function SelectBase:lateral(name) end

--- WITH name AS (…)
---@param name? string
---@param options? {recursive: boolean?, nesting: boolean?}
---@return argent.CTE
function SelectBase:cte(name, options) end

--- As a value
---@return argent.Expression
function SelectBase:scalar_subquery() end

--- As a value with a name
---@param name string
---@return argent.Expression
function SelectBase:label(name) end

--- EXISTS (…)
---@return argent.Exists
function SelectBase:exists() end

--- ag.select(…)
---@class argent.Select: argent.SelectBase
local Select = {}

--- WHERE, several with AND
---@param ... argent.Expression
---@return argent.Select
function Select:where(...) end

--- The same as where
---@param ... argent.Expression
---@return argent.Select
function Select:filter(...) end

--- WHERE column = value, by name, over all FROM elements
---@param values table<string, any>
---@return argent.Select
function Select:filter_by(values) end

--- HAVING
---@param ... argent.Expression
---@return argent.Select
function Select:having(...) end

--- DISTINCT; with columns DISTINCT ON on PostgreSQL
---@param ... any
---@return argent.Select
function Select:distinct(...) end

--- JOIN; the condition is found from foreign keys or a relationship
---@param target any
---@param onclause? any
---@param options? {isouter: boolean?, full: boolean?}
---@return argent.Select
function Select:join(target, onclause, options) end

--- LEFT OUTER JOIN
---@param target any
---@param onclause? any
---@param options? {full: boolean?}
---@return argent.Select
function Select:outerjoin(target, onclause, options) end

--- JOIN from this element
---@param left any
---@param target any
---@param onclause? any
---@param options? {isouter: boolean?, full: boolean?}
---@return argent.Select
function Select:join_from(left, target, onclause, options) end

--- LEFT OUTER JOIN from this element
---@param left any
---@param target any
---@param onclause? any
---@param options? {full: boolean?}
---@return argent.Select
function Select:outerjoin_from(left, target, onclause, options) end

--- FROM
---@param ... any
---@return argent.Select
function Select:select_from(...) end

--- Elements of FROM that belong to the outer statement; one nil: none
---@param ... any
---@return argent.Select
function Select:correlate(...) end

--- All but these belong to the outer statement
---@param ... any
---@return argent.Select
function Select:correlate_except(...) end

--- More columns
---@param ... any
---@return argent.Select
function Select:add_columns(...) end

--- Other columns; {maintain_column_froms = true} keeps FROM
---@param ... any
---@return argent.Select
function Select:with_only_columns(...) end

--- Without columns that equal others
---@param options? {only_synonyms: boolean?}
---@return argent.Select
function Select:reduce_columns(options) end

--- Text after SELECT; {dialect =}
---@param ... any
---@return argent.Select
function Select:prefix_with(...) end

--- Text at the end; {dialect =}
---@param ... any
---@return argent.Select
function Select:suffix_with(...) end

--- A hint for a table
---@param selectable any
---@param text string
---@param dialect? string
---@return argent.Select
function Select:with_hint(selectable, text, dialect) end

--- A hint for the statement
---@param text string
---@param dialect? string
---@return argent.Select
function Select:with_statement_hint(text, dialect) end

--- UNION, EXCEPT, INTERSECT.
---@class argent.CompoundSelect: argent.SelectBase
local CompoundSelect = {}

--- ag.text(…):columns(…)
---@class argent.TextualSelect: argent.Statement
local TextualSelect = {}

--- In brackets, as a FROM element
---@param name? string
---@return argent.FromClause
function TextualSelect:subquery(name) end

--- The same
---@param name? string
---@return argent.FromClause
function TextualSelect:alias(name) end

--- Values and types for the :names in the text
---@param ... any
---@return argent.TextualSelect
function TextualSelect:bindparams(...) end

--- LATERAL (…)
---@param name? string
---@return argent.FromClause
function TextualSelect:lateral(name) end

--- As one value
---@return argent.ScalarSelect
function TextualSelect:scalar_subquery() end

--- As one value with a name
---@param name string
---@return argent.Expression
function TextualSelect:label(name) end

--- Has it rows?
---@return argent.Expression
function TextualSelect:exists() end

--- WITH name AS (…)
---@param name? string
---@param options? {recursive: boolean?}
---@return argent.CTE
function TextualSelect:cte(name, options) end

--- WITH
---@param ... argent.CTE
---@return argent.TextualSelect
function TextualSelect:add_cte(...) end

--- ag.text(…): SQL of your own; `:name` is a parameter.
---@class argent.Text: argent.Statement
local Text = {}

--- Values and types of the :names: bindparam() elements, then a table of values
---@param ... any
---@return argent.Text
function Text:bindparams(...) end

--- What the statement returns: columns by position, or {name = Type}
---@param ... any
---@return argent.TextualSelect
function Text:columns(...) end

--- What Insert, Update and Delete share.
---@class argent.UpdateBase: argent.Statement
---@field entity_description {name: string?, table: any} what it is of
---@field returning_column_descriptions {name: string, type: argent.Type, expr: argent.Expression}[] of RETURNING
local UpdateBase = {}

--- WITH, also for CTEs that nothing refers to
---@param ... argent.CTE
---@return self
function UpdateBase:add_cte(...) end

--- RETURNING; {sort_by_parameter_order = true} keeps the order of the parameter sets
---@param ... any
---@return self
function UpdateBase:returning(...) end

--- Values that the database made: result.returned_defaults
---@param ... any
---@return self
function UpdateBase:return_defaults(...) end

--- Text after the verb; {dialect =}
---@param ... any
---@return self
function UpdateBase:prefix_with(...) end

--- A hint
---@param text string
---@param options? {selectable: any, dialect_name: string?}
---@return self
function UpdateBase:with_hint(text, options) end

--- Options of other dialects
---@param options table
---@return self
function UpdateBase:with_dialect_options(options) end

--- WITH name AS (… RETURNING …)
---@param name? string
---@param options? {nesting: boolean?}
---@return argent.CTE
function UpdateBase:cte(name, options) end

--- ag.insert(table or class)
---@class argent.Insert: argent.UpdateBase
---@field excluded table<string, argent.Expression> columns of the row that could not be inserted
local Insert = {}

--- Values by column name or column; an array of tables makes one statement with many rows
---@param values table|table[]
---@return argent.Insert
function Insert:values(values) end

--- INSERT … SELECT
---@param names any[]
---@param select argent.Select
---@param options? {include_defaults: boolean?}
---@return argent.Insert
function Insert:from_select(names, select, options) end

--- Defaults go into the text, the key is not fetched
---@return argent.Insert
function Insert:inline() end

--- ON CONFLICT DO NOTHING
---@param options? {index_elements: any[]?, index_where: any, constraint: any}
---@return argent.Insert
function Insert:on_conflict_do_nothing(options) end

--- ON CONFLICT DO UPDATE SET
---@param options {index_elements: any[]?, index_where: any, constraint: any, set: table, where: any}
---@return argent.Insert
function Insert:on_conflict_do_update(options) end

--- ag.update(table or class)
---@class argent.Update: argent.UpdateBase
local Update = {}

--- WHERE, several with AND
---@param ... argent.Expression
---@return argent.Update
function Update:where(...) end

--- The same as where
---@param ... argent.Expression
---@return argent.Update
function Update:filter(...) end

--- WHERE column = value, by name
---@param values table<string, any>
---@return argent.Update
function Update:filter_by(values) end

--- SET, in table order
---@param values table
---@return argent.Update
function Update:values(values) end

--- SET {column, value}, in this order
---@param ... any[]
---@return argent.Update
function Update:ordered_values(...) end

--- Defaults go into the text
---@return argent.Update
function Update:inline() end

--- ag.delete(table or class)
---@class argent.Delete: argent.UpdateBase
local Delete = {}

--- WHERE, several with AND
---@param ... argent.Expression
---@return argent.Delete
function Delete:where(...) end

--- The same as where
---@param ... argent.Expression
---@return argent.Delete
function Delete:filter(...) end

--- WHERE column = value, by name
---@param values table<string, any>
---@return argent.Delete
function Delete:filter_by(values) end

--- Further FROM elements (USING on PostgreSQL, inside EXISTS on SQLite), also those that no criterion names.
---@param ... argent.FromClause
---@return argent.Delete
function Delete:using(...) end
