---@meta
-- Elements of FROM, EXISTS and scalar subqueries, which C makes, for a language server. Nothing here is run.

--- Anything that stands in FROM.
---@class argent.FromClause
---@field c table<string|integer, argent.Expression> columns by key
---@field columns table<string|integer, argent.Expression> the same
---@field exported_columns table<string|integer, argent.Expression> the same, as statements have it
---@field name string?
---@field primary_key any a table's constraint; of others the columns that are of their table's primary key
---@field foreign_keys argent.ForeignKey[] those of its columns
---@field element any? of an alias, subquery, CTE, LATERAL, TABLESAMPLE: what it is of
---@field original any? of an alias: what the innermost alias is of
---@field left any? of a join
---@field right any? of a join
---@field onclause argent.Expression? of a join
---@field isouter boolean? of a join
---@field full boolean? of a join
local FromClause = {}

--- The SQL of this element alone
---@param options? {dialect: string?, literal_binds: boolean?, render_postcompile: boolean?, schema_translate_map: table<any, any>?}
---@return argent.Compiled
function FromClause:compile(options) end

--- The same with other values of bind parameters
---@param values table<string, any>
---@return argent.FromClause
function FromClause:params(values) end

--- The same with other values, and names of its own for them
---@param values table<string, any>
---@return argent.FromClause
function FromClause:unique_params(values) end

--- AS name
---@param name? string
---@return argent.FromClause
function FromClause:alias(name) end

--- The column of FromClause that stands for `column`: itself, or what comes from it; nil: none
---@param column any
---@param options? {require_embedded: boolean?} only where the column's own table stands inside
---@return argent.Expression?
function FromClause:corresponding_column(column, options) end

--- Is `from` this, or does this read from it?
---@param from any
---@return boolean
function FromClause:is_derived_from(from) end

--- The same with `alias`, an alias or subquery of `old`, in its place, under its columns too
---@param old any
---@param alias any
---@return argent.FromClause
function FromClause:replace_selectable(old, alias) end

--- Its direct parts
---@return any[]
function FromClause:get_children() end

--- JOIN; the condition is found from foreign keys
---@param right any
---@param onclause? any
---@param options? {isouter: boolean?, full: boolean?}
---@return argent.FromClause
function FromClause:join(right, onclause, options) end

--- LEFT OUTER JOIN
---@param right any
---@param onclause? any
---@param options? {full: boolean?}
---@return argent.FromClause
function FromClause:outerjoin(right, onclause, options) end

--- SELECT of all columns
---@return argent.Select
function FromClause:select() end

--- TABLESAMPLE
---@param sampling any
---@param options? {name: string?, seed: any}
---@return argent.FromClause
function FromClause:tablesample(sampling, options) end

--- The whole row as an expression: `func.row_to_json(t:table_valued())`
---@return argent.Expression
function FromClause:table_valued() end

--- LATERAL
---@param name? string
---@return argent.FromClause
function FromClause:lateral(name) end

--- INSERT INTO this table
---@return argent.Insert
function FromClause:insert() end

--- UPDATE of this table
---@return argent.Update
function FromClause:update() end

--- DELETE FROM this table
---@return argent.Delete
function FromClause:delete() end

--- WITH name AS (…)
---@class argent.CTE: argent.FromClause
local CTE = {}

--- Text after AS, before the bracket
---@param ... any
---@return argent.CTE
function CTE:prefix_with(...) end

--- Text after the bracket
---@param ... any
---@return argent.CTE
function CTE:suffix_with(...) end

--- The recursive part
---@param ... argent.Select
---@return argent.CTE
function CTE:union(...) end

--- The recursive part, rows kept
---@param ... argent.Select
---@return argent.CTE
function CTE:union_all(...) end

--- ag.values(…)
---@class argent.Values: argent.FromClause
local Values = {}

--- Rows of VALUES
---@param rows any[][]
---@return argent.Values
function Values:data(rows) end

--- AS name
---@param name? string
---@return argent.Values
function Values:alias(name) end

--- VALUES as an expression
---@return argent.Expression
function Values:scalar_values() end

--- WITH name AS (VALUES …)
---@param name? string
---@return argent.CTE
function Values:cte(name) end

--- A function in FROM.
---@class argent.TableFunction: argent.FromClause
---@field column argent.Expression the value, of column_valued()
local TableFunction = {}

--- AS name(column, …)
---@param options? {name: string?, with_types: boolean?}
---@return argent.TableFunction
function TableFunction:render_derived(options) end

--- EXISTS (…)
---@class argent.Exists: argent.Expression
local Exists = {}

--- WHERE, with AND
---@param ... argent.Expression
---@return argent.Exists
function Exists:where(...) end

--- FROM
---@param ... any
---@return argent.Exists
function Exists:select_from(...) end

--- Elements of FROM that belong to the outer statement
---@param ... any
---@return argent.Exists
function Exists:correlate(...) end

--- All but these belong to the outer statement
---@param ... any
---@return argent.Exists
function Exists:correlate_except(...) end

--- A hint for a table of the SELECT inside
---@param selectable any
---@param text string
---@param dialect_name? string
---@return argent.Exists
function Exists:with_hint(selectable, text, dialect_name) end

--- A hint for the SELECT inside
---@param text string
---@param dialect_name? string
---@return argent.Exists
function Exists:with_statement_hint(text, dialect_name) end

--- SELECT EXISTS (…)
---@return argent.Select
function Exists:select() end

--- (SELECT …) as one value
---@class argent.ScalarSelect: argent.Expression
local ScalarSelect = {}

--- WHERE of the SELECT inside, with AND
---@param ... argent.Expression
---@return argent.ScalarSelect
function ScalarSelect:where(...) end

--- Elements of FROM that belong to the outer statement; false: none
---@param ... any
---@return argent.ScalarSelect
function ScalarSelect:correlate(...) end

--- All but these belong to the outer statement
---@param ... any
---@return argent.ScalarSelect
function ScalarSelect:correlate_except(...) end
