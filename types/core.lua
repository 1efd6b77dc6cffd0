---@meta
-- The public part of the C module argent.core (ag.<name>), for a language server. Nothing here is run.

--- What require "argent.core" gives.
---@class argent.core
local core = {}

--- SELECT of columns, tables, classes, labels and other expressions: `ag.select(users.c.id, ag.func.count())`
---@param ... any
---@return argent.Select
function core.select(...) end

--- INSERT
---@param table argent.Table|argent.Class
---@return argent.Insert
function core.insert(table) end

--- UPDATE
---@param table argent.Table|argent.Class
---@return argent.Update
function core.update(table) end

--- DELETE
---@param table argent.Table|argent.Class
---@return argent.Delete
function core.delete(table) end

--- SQL of your own; `:name` stands for a parameter
---@param sql string
---@return argent.Text
function core.text(sql) end

--- A table without MetaData: `ag.table("users", ag.column("id"))`; {schema =}
---@param name string
---@param ... any
---@return argent.FromClause
function core.table(name, ...) end

--- A column by name, quoted where needed
---@param name string
---@param type? argent.Type
---@return argent.Expression
function core.column(name, type) end

--- A column expression as SQL text of your own
---@param sql string
---@param type? argent.Type
---@return argent.Expression
function core.literal_column(sql, type) end

--- VALUES with these columns; {name =, literal_binds =}
---@param ... any
---@return argent.Values
function core.values(...) end

--- AS name
---@param element any
---@param name? string
---@return argent.FromClause
function core.alias(element, name) end

--- LATERAL (…)
---@param select argent.Select
---@param name? string
---@return argent.FromClause
function core.lateral(select, name) end

--- WITH name AS (select): select:cte(name)
---@param select argent.Select|argent.Insert|argent.Update|argent.Delete
---@param name? string
---@param options? {recursive: boolean?, nesting: boolean?}
---@return argent.CTE
function core.cte(select, name, options) end

--- expression NULLS FIRST
---@param expression argent.Expression
---@return argent.Expression
---@deprecated the older name of nulls_first
function core.nullsfirst(expression) end

--- expression NULLS LAST
---@param expression argent.Expression
---@return argent.Expression
---@deprecated the older name of nulls_last
function core.nullslast(expression) end

--- TABLESAMPLE
---@param element any
---@param sampling any
---@param options? {name: string?, seed: any}
---@return argent.FromClause
function core.tablesample(element, sampling, options) end

--- left JOIN right
---@param left any
---@param right any
---@param onclause? any
---@param options? {isouter: boolean?, full: boolean?}
---@return argent.FromClause
function core.join(left, right, onclause, options) end

--- left LEFT OUTER JOIN right
---@param left any
---@param right any
---@param onclause? any
---@param options? {full: boolean?}
---@return argent.FromClause
function core.outerjoin(left, right, onclause, options) end

--- EXISTS (SELECT …), of a select or of its columns
---@param ... any
---@return argent.Exists
function core.exists(...) end

--- UNION
---@param ... argent.Select
---@return argent.CompoundSelect
function core.union(...) end

--- UNION ALL
---@param ... argent.Select
---@return argent.CompoundSelect
function core.union_all(...) end

--- EXCEPT
---@param ... argent.Select
---@return argent.CompoundSelect
function core.except_(...) end

--- EXCEPT ALL (PostgreSQL)
---@param ... argent.Select
---@return argent.CompoundSelect
function core.except_all(...) end

--- INTERSECT
---@param ... argent.Select
---@return argent.CompoundSelect
function core.intersect(...) end

--- INTERSECT ALL (PostgreSQL)
---@param ... argent.Select
---@return argent.CompoundSelect
function core.intersect_all(...) end

--- AND of all; without arguments true
---@param ... any
---@return argent.Expression
function core.and_(...) end

--- OR of all; without arguments false
---@param ... any
---@return argent.Expression
function core.or_(...) end

--- NOT, also written `~condition`
---@param condition any
---@return argent.Expression
function core.not_(condition) end

--- the constant TRUE (1 on SQLite)
---@return argent.Expression
function core.true_() end

--- the constant FALSE (0 on SQLite)
---@return argent.Expression
function core.false_() end

--- the keyword NULL
---@return argent.Expression
function core.null_() end

--- (a, b), for comparisons and in_
---@param ... any
---@return argent.Expression
function core.tuple_(...) end

--- CASE: `case({cond, value}, …, {else_ = x})`, with {value = x} pairs compare with it
---@param ... any
---@return argent.Expression
function core.case(...) end

--- CAST(… AS type)
---@param expression any
---@param type argent.Type
---@return argent.Expression
function core.cast(expression, type) end

--- TRY_CAST, for dialects that have it
---@param expression any
---@param type argent.Type
---@return argent.Expression
function core.try_cast(expression, type) end

--- Another type for argent, the same SQL
---@param expression any
---@param type argent.Type
---@return argent.Expression
function core.type_coerce(expression, type) end

--- EXTRACT(field FROM …)
---@param field string
---@param expression any
---@return argent.Expression
function core.extract(field, expression) end

--- COLLATE
---@param expression any
---@param collation string
---@return argent.Expression
function core.collate(expression, collation) end

--- BETWEEN
---@param expression any
---@param low any
---@param high any
---@param options? {symmetric: boolean?}
---@return argent.Expression
function core.between(expression, low, high, options) end

--- ANY (array or select)
---@param element any
---@return argent.Expression
function core.any_(element) end

--- ALL (array or select)
---@param element any
---@return argent.Expression
function core.all_(element) end

--- DISTINCT, as the argument of an aggregate
---@param expression any
---@return argent.Expression
function core.distinct(expression) end

--- ASC
---@param expression any
---@return argent.Expression
function core.asc(expression) end

--- DESC
---@param expression any
---@return argent.Expression
function core.desc(expression) end

--- AS name, as `expression:label(name)`; with a type, the expression is taken for one of it
---@param name string
---@param element any
---@param type? argent.Type|{type: argent.Type?}
---@return argent.Expression
function core.label(name, element, type) end

--- `~`
---@param expression any
---@return argent.Expression
function core.bitwise_not(expression) end

--- NULLS FIRST
---@param expression any
---@return argent.Expression
function core.nulls_first(expression) end

--- NULLS LAST
---@param expression any
---@return argent.Expression
function core.nulls_last(expression) end

--- A parameter
---@param name? string
---@param value? any
---@param type? argent.Type
---@param options? {value: any, type: argent.Type?, unique: boolean?, expanding: boolean?, required: boolean?, literal_execute: boolean?, callable: function?}
---@return argent.Expression
function core.bindparam(name, value, type, options) end

--- A value as a parameter
---@param value any
---@param type? argent.Type
---@return argent.Expression
function core.literal(value, type) end

--- ARRAY[…] of PostgreSQL
---@param members any[]
---@param options? {type: argent.Type?}
---@return argent.Expression
function core.array(members, options) end

--- element OVER (…)
---@param element any
---@param options? {partition_by: any, order_by: any, range: any[]?, rows: any[]?, groups: any[]?}
---@return argent.Expression
function core.over(element, options) end

--- FILTER (WHERE …)
---@param func argent.Function
---@param ... argent.Expression
---@return argent.Function
function core.funcfilter(func, ...) end

--- WITHIN GROUP (ORDER BY …)
---@param func argent.Function
---@param ... argent.Expression
---@return argent.Function
function core.within_group(func, ...) end

--- expression ORDER BY …, inside an aggregate
---@param expression any
---@param ... argent.Expression
---@return argent.Expression
function core.aggregate_order_by(expression, ...) end

--- `ag.date("2024-01-05")`, `ag.date{year = 2024, month = 1, day = 5}`
---@param value string|table
---@return argent.date
function core.date(value) end

--- `ag.time("10:00:00")`
---@param value string|table
---@return argent.time
function core.time(value) end

--- `ag.datetime("2024-01-05 10:00:00+02:00")`; without an offset it is naive
---@param value string|table
---@return argent.datetime
function core.datetime(value) end

--- `ag.interval{days = 1, hours = 2}`; months, days and microseconds stay apart
---@param value string|table
---@return argent.interval
function core.interval(value) end

--- an exact decimal
---@param value string|integer|argent.decimal
---@return argent.decimal
function core.decimal(value) end

--- A database URL taken apart
---@param url string|argent.URL
---@return argent.URL
function core.make_url(url) end

--- A type over another: {impl = ag.Text, process_bind_param = fn, process_result_value = fn, cache_ok = true}
---@param definition table
---@return argent.Type
function core.TypeDecorator(definition) end

--- A type of your own: {get_col_spec = fn, bind_processor = fn, result_processor = fn, cache_ok = true}
---@param definition table
---@return argent.Type
function core.UserDefinedType(definition) end
