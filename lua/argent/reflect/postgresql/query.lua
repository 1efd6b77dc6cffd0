--- What all catalog queries share: which relations are meant, parameters, server versions. Every query here names the tables
--- `c` (pg_class) and `n` (its pg_namespace).
local core = require "argent.core"

local M = {}

--- The letters of pg_class.relkind behind each bit of ag.ObjectKind.
local relkinds = {[1] = {"r", "p", "f"}, [2] = {"v"}, [4] = {"m"}}

--- The list of a condition `c.relkind IN (…)`.
---@param letters string[]
---@return string
local function in_list(letters)
  if #letters == 0 then return "('')" end
  return "('" .. table.concat(letters, "', '") .. "')"
end

--- Text with typed list parameters: names as text[], oids as oid[].
---@param sql string
---@param params table
---@return any
local function bound(sql, params)
  local stmt = core.text(sql)
  if params.filter_names then
    stmt = stmt:bindparams(core.bindparam("filter_names", {type = core.postgresql_types.ARRAY(core.Text)}))
  end
  if params.oids then
    stmt = stmt:bindparams(core.bindparam("oids", {type = core.postgresql_types.ARRAY(core.postgresql_types.OID)}))
  end
  return stmt
end

--- SQL of the server's as an expression: its colons are no placeholders (`a[x:y]`).
---@param sql string
---@return argent.Expression
function M.text(sql)
  if not sql:find(":", 1, true) then return core.text(sql) end
  local out, i = {}, 1
  while i <= #sql do
    local ch = sql:sub(i, i)
    local last = i
    if ch == "'" or ch == '"' then
      last = sql:find(ch, i + 1, true) or #sql
    elseif sql:sub(i, i + 1) == "::" then
      last = i + 1
    elseif ch == ":" then
      out[#out + 1] = "\\"
    end
    out[#out + 1] = sql:sub(i, last)
    i = last + 1
  end
  return core.text(table.concat(out))
end

--- The rows of a query, read to their end.
---@param conn argent.Connection
---@param sql string with `:names`
---@param params? table
---@return table[]
function M.rows(conn, sql, params)
  return conn:execute(bound(sql, params or {}), params):all()
end

--- The first column, as a list.
---@param conn argent.Connection
---@param sql string
---@param params? table
---@return any[]
function M.scalars(conn, sql, params)
  return conn:execute(bound(sql, params or {}), params):scalars():all()
end

--- The first column of the first row, or nil.
---@param conn argent.Connection
---@param sql string
---@param params? table
---@return any
function M.scalar(conn, sql, params)
  return conn:execute(bound(sql, params or {}), params):scalar()
end

--- Is the server this one or newer?
---@param conn argent.Connection
---@param major integer
---@return boolean
function M.since(conn, major)
  local version = conn.engine.server_version
  return version ~= nil and version >= major * 10000
end

--- Where a relation is: in the schema, or, without one, where the search path finds it (never in pg_catalog).
---@param schema string?
---@param params table gets `schema`
---@return string condition
function M.in_schema(schema, params)
  if schema == nil then return "pg_catalog.pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog'" end
  params.schema = schema
  return "n.nspname = :schema"
end

--- The same for types; schema "*": all of them.
---@param schema string?
---@param params table gets `schema`
---@param alias string of pg_type
---@return string condition
function M.type_in_schema(schema, params, alias)
  if schema == "*" then return "true" end
  if schema == nil then return "pg_catalog.pg_type_is_visible(" .. alias .. ".oid) AND n.nspname <> 'pg_catalog'" end
  params.schema = schema
  return "n.nspname = :schema"
end

--- The relations of a kind, as a table expression `c` joined with `n`, and its condition.
---@param letters string[] values of relkind
---@param schema string?
---@param scope integer? flags of ag.ObjectScope
---@param params table gets what the condition needs
---@return string from
---@return string where
function M.relations(letters, schema, scope, params)
  local where = {"c.relkind IN " .. in_list(letters), M.in_schema(schema, params)}
  if scope == 1 then where[3] = "c.relpersistence <> 't'" end
  if scope == 2 then where[3] = "c.relpersistence = 't'" end
  return "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace", table.concat(where, " AND ")
end

--- The relations that a get_multi_* call is about.
---@param o {schema?: string, filter_names?: string[], kind?: integer, scope?: integer}
---@return string from
---@return string where
---@return table params
function M.wanted(o)
  local params, letters = {}, {}
  for bit = 0, 2 do
    for _, letter in ipairs((o.kind or 1) & 1 << bit ~= 0 and relkinds[1 << bit] or {}) do letters[#letters + 1] = letter end
  end
  local from, where = M.relations(letters, o.schema, o.scope or 1, params)
  if #letters == 0 then where = "false" end
  if o.filter_names then
    params.filter_names = o.filter_names
    where = where .. " AND c.relname = ANY (:filter_names)"
  end
  return from, where, params
end

--- Rows grouped by `table_name`: what `add(list, row)` made of them; relations without any have an empty list.
---@param rows table[]
---@param add fun(list: table, row: table)
---@param present fun(row: table): boolean
---@return table<string, table>
function M.grouped(rows, add, present)
  local out = {}
  for _, row in ipairs(rows) do
    local list = out[row.table_name]
    if not list then
      list = {}
      out[row.table_name] = list
    end
    if present(row) then add(list, row) end
  end
  return out
end

--- The text of an SQL expression without brackets around the whole of it.
---@param text string
---@return string
function M.strip_outer_parens(text)
  while text:sub(1, 1) == "(" do
    local depth, i, n = 0, 1, #text
    while i <= n do
      local ch = text:sub(i, i)
      if ch == "'" or ch == '"' then
        i = text:find(ch, i + 1, true) or n
      elseif ch == "(" then
        depth = depth + 1
      elseif ch == ")" then
        depth = depth - 1
        if depth == 0 then break end
      end
      i = i + 1
    end
    if i ~= n then return text end
    text = text:sub(2, -2)
  end
  return text
end

return M
