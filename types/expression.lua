---@meta
-- SQL expressions and functions, which C makes, for a language server. Nothing here is run.

--- What compile() takes: dialect = "sqlite" | "postgresql", literal_binds, render_postcompile, schema_translate_map …
---@class argent.CompileOptions
local CompileOptions = {}

--- An SQL expression. Arithmetic, `..`, `&`, `|` and `~` are operators; comparisons are methods.
---@class argent.Expression
---@field name string? of a column or label
---@field key string? name in the collection of columns
---@field type argent.Type
---@field astext argent.Expression of JSON: `->>`
---@field left argent.Expression? of an operator with two operands
---@field right argent.Expression? of an operator with two operands
---@field operator string? the name of its method ("eq"); of op("&&") "&&"
---@field modifier string? of desc(), nulls_last() …: the name of the method
---@field element any? of a label, unary operator, window, subquery: what it is of
---@field clause argent.Expression? of a cast
---@field clauses argent.Expression[]? of and_(), or_(), tuples, arrays, functions
---@field whens argent.Expression[][]? of case(): {condition, result} each
---@field else_ argent.Expression? of case()
---@field value any of a bindparam(); of case()
---@field table any of a column: the FROM that it is of
---@field primary_key boolean? of a column
---@field nullable boolean? of a column
---@field foreign_keys argent.ForeignKey[]? of a column
local Expression = {}

--- `=`; `ag.null` gives IS NULL
---@param other any
---@return argent.Expression
function Expression:eq(other) end

--- `!=`; `ag.null` gives IS NOT NULL
---@param other any
---@return argent.Expression
function Expression:ne(other) end

--- `<`
---@param other any
---@return argent.Expression
function Expression:lt(other) end

--- `<=`
---@param other any
---@return argent.Expression
function Expression:le(other) end

--- `>`
---@param other any
---@return argent.Expression
function Expression:gt(other) end

--- `>=`
---@param other any
---@return argent.Expression
function Expression:ge(other) end

--- IS DISTINCT FROM (SQLite: IS NOT)
---@param other any
---@return argent.Expression
function Expression:is_distinct_from(other) end

--- IS NOT DISTINCT FROM (SQLite: IS)
---@param other any
---@return argent.Expression
function Expression:is_not_distinct_from(other) end

--- `||`, also written `a .. b`
---@param other any
---@return argent.Expression
function Expression:concat(other) end

--- `&` on integers
---@param other any
---@return argent.Expression
function Expression:bitwise_and(other) end

--- `|`
---@param other any
---@return argent.Expression
function Expression:bitwise_or(other) end

--- `#` on PostgreSQL
---@param other any
---@return argent.Expression
function Expression:bitwise_xor(other) end

--- `<<`
---@param other any
---@return argent.Expression
function Expression:bitwise_lshift(other) end

--- `>>`
---@param other any
---@return argent.Expression
function Expression:bitwise_rshift(other) end

--- `<@`
---@param other any
---@return argent.Expression
function Expression:contained_by(other) end

--- `other = ANY (array)`; `{operator = "lt"}` for another comparison. The older form of `any_(array):eq(other)`.
---@param other any
---@param options? table
---@return argent.Expression
function Expression:any(other, options) end

--- `other = ALL (array)`, see `any`
---@param other any
---@param options? table
---@return argent.Expression
function Expression:all(other, options) end

--- `&&` of arrays and ranges
---@param other any
---@return argent.Expression
function Expression:overlap(other) end

--- `&&`
---@param other any
---@return argent.Expression
function Expression:overlaps(other) end

--- `?` of JSONB and HSTORE
---@param other any
---@return argent.Expression
function Expression:has_key(other) end

--- `?|`
---@param other any
---@return argent.Expression
function Expression:has_any(other) end

--- `?&`
---@param other any
---@return argent.Expression
function Expression:has_all(other) end

--- `@?` of JSONB
---@param other any
---@return argent.Expression
function Expression:path_exists(other) end

--- `@@` of JSONB
---@param other any
---@return argent.Expression
function Expression:path_match(other) end

--- `#-` of JSONB
---@param other any
---@return argent.Expression
function Expression:delete_path(other) end

--- `-|-` of ranges
---@param other any
---@return argent.Expression
function Expression:adjacent_to(other) end

--- `<<` of ranges
---@param other any
---@return argent.Expression
function Expression:strictly_left_of(other) end

--- `>>` of ranges
---@param other any
---@return argent.Expression
function Expression:strictly_right_of(other) end

--- `&<` of ranges
---@param other any
---@return argent.Expression
function Expression:not_extend_right_of(other) end

--- `&>` of ranges
---@param other any
---@return argent.Expression
function Expression:not_extend_left_of(other) end

--- IS; nil and `ag.null` stand for NULL
---@param other? any
---@return argent.Expression
function Expression:is_(other) end

--- IS NOT
---@param other? any
---@return argent.Expression
function Expression:is_not(other) end

--- `~`
---@return argent.Expression
function Expression:bitwise_not() end

--- IN; an empty list compares with nothing, more than 1,000 members travel as one array
---@param members any[]|argent.Select
---@return argent.Expression
function Expression:in_(members) end

--- NOT IN
---@param members any[]|argent.Select
---@return argent.Expression
function Expression:not_in(members) end

--- BETWEEN low AND high
---@param low any
---@param high any
---@param options? {symmetric: boolean?}
---@return argent.Expression
function Expression:between(low, high, options) end

--- LIKE
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
function Expression:like(pattern, options) end

--- NOT LIKE
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
function Expression:not_like(pattern, options) end

--- ILIKE
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
function Expression:ilike(pattern, options) end

--- NOT ILIKE
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
function Expression:not_ilike(pattern, options) end

--- LIKE '%' || other || '%'; of arrays, JSONB and ranges `@>`
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:contains(other, options) end

--- The same without regard to case
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:icontains(other, options) end

--- LIKE other || '%'
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:startswith(other, options) end

--- The same without regard to case
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:istartswith(other, options) end

--- LIKE '%' || other
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:endswith(other, options) end

--- The same without regard to case
---@param other any
---@param options? {autoescape: boolean?, escape: string?}
---@return argent.Expression
function Expression:iendswith(other, options) end

--- Full text: MATCH on SQLite, `@@ plainto_tsquery()` on PostgreSQL
---@param other any
---@param options? {postgresql_regconfig: string?}
---@return argent.Expression
function Expression:match(other, options) end

--- REGEXP on SQLite, `~` on PostgreSQL
---@param pattern any
---@param options? {flags: string?}
---@return argent.Expression
function Expression:regexp_match(pattern, options) end

--- regexp_replace()
---@param pattern any
---@param replacement any
---@param options? {flags: string?}
---@return argent.Expression
function Expression:regexp_replace(pattern, replacement, options) end

--- An operator of your own: `a:op("->>")(b)`
---@param operator string
---@param options? {precedence: integer?, is_comparison: boolean?, return_type: argent.Type?}
---@return fun(other: any): argent.Expression
function Expression:op(operator, options) end

--- The same for an operator that gives a boolean
---@param operator string
---@param options? {precedence: integer?}
---@return fun(other: any): argent.Expression
function Expression:bool_op(operator, options) end

--- An element of an array (from 1 on PostgreSQL), a key, index or path of JSON
---@param index any
---@return argent.Expression
function Expression:at(index) end

--- Elements from … to of an array
---@param from any
---@param to any
---@return argent.Expression
function Expression:slice(from, to) end

--- The JSON element as text
---@return argent.Expression
function Expression:as_string() end

--- The JSON element as an integer
---@return argent.Expression
function Expression:as_integer() end

--- The JSON element as a float
---@return argent.Expression
function Expression:as_float() end

--- The JSON element as a boolean
---@return argent.Expression
function Expression:as_boolean() end

--- The JSON element as a decimal
---@param precision integer
---@param scale integer
---@param options? {asdecimal: boolean?}
---@return argent.Expression
function Expression:as_numeric(precision, scale, options) end

--- The JSON element as JSON
---@return argent.Expression
function Expression:as_json() end

--- AS name
---@param name string
---@return argent.Expression
function Expression:label(name) end

--- CAST(… AS type)
---@param type argent.Type
---@return argent.Expression
function Expression:cast(type) end

--- is_not
---@param other? any
---@return argent.Expression
---@deprecated the older name of is_not
function Expression:isnot(other) end

--- is_not_distinct_from
---@param other any
---@return argent.Expression
---@deprecated the older name of is_not_distinct_from
function Expression:isnot_distinct_from(other) end

--- not_in
---@param members any[]|argent.Select
---@return argent.Expression
---@deprecated the older name of not_in
function Expression:notin_(members) end

--- not_like
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
---@deprecated the older name of not_like
function Expression:notlike(pattern, options) end

--- not_ilike
---@param pattern any
---@param options? {escape: string?}
---@return argent.Expression
---@deprecated the older name of not_ilike
function Expression:notilike(pattern, options) end

--- nulls_first
---@return argent.Expression
---@deprecated the older name of nulls_first
function Expression:nullsfirst() end

--- nulls_last
---@return argent.Expression
---@deprecated the older name of nulls_last
function Expression:nullslast() end

--- The same with other values of bind parameters
---@param values table<string, any>
---@return argent.Expression
function Expression:params(values) end

--- The same with other values, and names of its own for them
---@param values table<string, any>
---@return argent.Expression
function Expression:unique_params(values) end

--- A bindparam() or literal() whose value is written into the text at the time of execution
---@return argent.Expression
function Expression:render_literal_execute() end

--- COLLATE
---@param collation string
---@param options? {collation_schema: string?}
---@return argent.Expression
function Expression:collate(collation, options) end

--- ASC, in order_by
---@return argent.Expression
function Expression:asc() end

--- DESC
---@return argent.Expression
function Expression:desc() end

--- The expression in brackets, whatever it stands beside, where it is an operation: `(a + b):self_group():op("->")(c)`
---@return argent.Expression
function Expression:self_group() end

--- NULLS FIRST
---@return argent.Expression
function Expression:nulls_first() end

--- NULLS LAST
---@return argent.Expression
function Expression:nulls_last() end

--- DISTINCT, as the argument of an aggregate
---@return argent.Expression
function Expression:distinct() end

--- ANY (…) on the right of a comparison
---@return argent.Expression
function Expression:any_() end

--- ALL (…)
---@return argent.Expression
function Expression:all_() end

--- The SQL text
---@param options? argent.CompileOptions
---@return argent.Compiled
function Expression:compile(options) end

--- The same structure?
---@param other argent.Expression
---@return boolean
function Expression:compare(other) end

--- The same with `alias`, an alias or subquery of `old`, in its place, under its columns too
---@param old any
---@param alias any
---@return argent.Expression
function Expression:replace_selectable(old, alias) end

--- Does it come from the same table's column?
---@param other any
---@return boolean
function Expression:shares_lineage(other) end

--- Its direct parts
---@return any[]
function Expression:get_children() end

--- ag.func.name(…)
---@class argent.Function: argent.Expression
local Function = {}

--- OVER (…)
---@param options? {partition_by: any, order_by: any, range: any[]?, rows: any[]?, groups: any[]?, exclude: string?}
---@return argent.Expression
function Function:over(options) end

--- FILTER (WHERE …)
---@param ... argent.Expression
---@return argent.Function
function Function:filter(...) end

--- WITHIN GROUP (ORDER BY …)
---@param ... argent.Expression
---@return argent.Function
function Function:within_group(...) end

--- ORDER BY inside the brackets of an aggregate
---@param ... argent.Expression
---@return argent.Function
function Function:aggregate_order_by(...) end

--- A function that compares its arguments of these positions, for ON clauses
---@param left integer
---@param right integer
---@return argent.Expression
function Function:as_comparison(left, right) end

--- A FROM element with these columns
---@param ... any
---@return argent.FromClause
function Function:table_valued(...) end

--- A FROM element of one column
---@param name? string
---@return argent.Expression
function Function:column_valued(name) end

--- In FROM, under a name
---@param name? string
---@return argent.FromClause
function Function:alias(name) end

--- `SELECT function(…)`
---@return argent.Select
function Function:select() end

--- `(func()).column`
---@param ... any
---@return argent.Expression
function Function:scalar_table_valued(...) end
