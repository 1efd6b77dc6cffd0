--- Constructs of your own, and other SQL for constructs that are there: ag.ColumnElement, ag.FunctionElement … make classes, and
--- ag.compiles says how one is written on a dialect. A hook gets the element and a compiler, and returns text and constructs:
---
---     local greatest = ag.FunctionElement{name = "greatest", type = ag.Integer, inherit_cache = true}
---     ag.compiles(greatest, function(el) return {"GREATEST(", el.clauses, ")"} end)
---     ag.compiles(greatest, "sqlite", function(el) return {"max(", el.clauses, ")"} end)
---     conn:scalar(ag.select(greatest(users.c.a, users.c.b)))
local core = require "argent.core"
local check = require "argent.check"

local M = {}

local classes = {} -- by number
local hooks = {}   -- [what: a class, or a text] = {[dialect] = function, default = function}
local CACHEABLE, CLAUSE, STMT = 0x001, 0x002, 0x008
local FUNC_AGGREGATE, FUNC_CACHEABLE, FUNC_GENERIC = 0x001, 0x020, 0x040
local NAME_QUOTING = {[true] = 0x100, [false] = 0x200}

-- ── hooks ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function pick(what, dialect, base)
  local found = hooks[what]
  return found and (found[dialect] or base and found[base] or found.default) or nil
end

local function class_hook(class, dialect, base)
  while class do
    local hook = pick(class, dialect, base)
    if hook then return hook end
    class = class.base
  end
end

--- Asked by the compiler: the hook of a construct, and its class.
local function find(dialect, base, kind, number, name)
  if kind == "type" then
    return number ~= 0 and pick("type#" .. number, dialect, base) or pick("type:" .. name, dialect, base)
  end
  local class = (kind == "custom" or kind == "func") and classes[number] or nil
  if class then return class_hook(class, dialect, base) or kind == "func" and pick("kind:func", dialect, base) or nil, class end
  if kind == "func" then
    return pick("func:" .. name:lower(), dialect, base) or pick("kind:func", dialect, base)
  end
  return name and pick("op:" .. name, dialect, base) or pick("kind:" .. kind, dialect, base)
end

---@class argent.Compiler what a compile hook gets as its second argument
---@field dialect {name: string, base: string?}
local Compiler = {}
local compiler_meta = {__index = function(_, name)
  if Compiler[name] ~= nil then return Compiler[name] end
  if name == "process" then
    core.exc_raise("ArgumentError", "a hook's compiler has no 'process': put the part itself into the list that the hook returns, "
      .. 'as in {"lower(", el.clauses, ")"}')
  end
  local near = core.nearest(tostring(name), {"default", "quote", "type", "dialect"})
  core.exc_raise("ArgumentError", ("a hook's compiler has no '%s'%s"):format(tostring(name), near and ("; did you mean '%s'?"):format(near) or ""))
end}

--- The construct as it is written where no hook is; also one built from it (`el.element:prefix_with "…"`).
---@param element table|any the hook's element, or a construct
function Compiler:default(element)
  if type(element) == "table" and getmetatable(element) == "argent.element" then element = rawget(element, "element") end
  if not core.is_node(element) then
    check.argument_error("compiler:default", 1, "expected the hook's element or an SQL construct, got " .. core.describe(element))
  end
  return setmetatable({element}, {__name = "as usual", __metatable = "argent.as_usual"})
end

--- A name, quoted where the dialect must.
---@param name string
---@return string
function Compiler:quote(name)
  return core.quote_name(self.dialect.name, name)
end

--- A type as DDL writes it.
---@return string
function Compiler:type(sql_type)
  return core.type_sql(self.dialect.name, sql_type)
end

local function bad_part(part)
  core.exc_raise("ArgumentError", "a compile hook returns text and SQL constructs, or a list of them; got " .. core.describe(part))
end

local DEEPEST = 100 -- lists in lists

--- Flatten what a hook returned into texts and the constructs between them. A list inside the list is written with commas.
local function flatten(result)
  local texts, items, depth = {""}, {}, 0
  local function add(part)
    depth = depth + 1
    if depth > DEEPEST then core.exc_raise("ArgumentError", "a compile hook returned a list that is nested too deep, or holds itself") end
    local mark = type(part) == "table" and getmetatable(part)
    if type(part) == "string" then
      if part:find("[%z\xff]") or not utf8.len(part) then
        core.exc_raise("ArgumentError", "a compile hook returned text that is not valid UTF-8, or holds a NUL byte")
      end
      texts[#texts] = texts[#texts] .. part
    elseif mark == "argent.element" then
      add(rawget(part, "element"))
    elseif mark == "argent.as_usual" or core.is_node(part) then
      items[#items + 1] = part
      texts[#items + 1] = ""
    elseif type(part) == "table" and not mark then
      for i, item in ipairs(part) do
        if i > 1 then add(", ") end
        add(item)
      end
    else
      bad_part(part)
    end
    depth = depth - 1
  end
  if type(result) == "table" and not getmetatable(result) then
    for _, part in ipairs(result) do add(part) end
  else
    add(result)
  end
  return texts, items
end

--- What a hook sees of a construct: an unknown field raises with the nearest name.
local element_meta = {
  __index = function(t, key)
    if math.type(key) == "integer" then return nil end
    if rawget(t, "_absent")[key] then return nil end
    local names = {}
    for name in next, t do
      if type(name) == "string" and name ~= "_absent" then names[#names + 1] = name end
    end
    local near = core.nearest(tostring(key), names)
    core.exc_raise("ArgumentError", ("this %s has no '%s'%s"):format(rawget(t, "kind") or "element", tostring(key),
      near and ("; did you mean '%s'?"):format(near) or ""))
  end,
  __metatable = "argent.element",
}

-- plain arguments of a construct, as text that tells them apart and gives them back

local function encode(values, n)
  local out, holder = {}, nil
  for i = 1, n do
    local v = values[i]
    local kind = math.type(v) or type(v)
    if core.is_node(v) then out[i] = "n"
    elseif kind == "integer" then out[i] = string.pack("<c1i8", "i", v)
    elseif kind == "float" then out[i] = string.pack("<c1d", "f", v)
    elseif kind == "string" then out[i] = string.pack("<c1s4", "s", v)
    elseif kind == "boolean" then out[i] = v and "T" or "F"
    elseif v == core.null then out[i] = "0"
    elseif v == nil then out[i] = "-"
    else
      out[i] = "h"
      holder = holder or {}
      holder[i] = v
    end
  end
  return table.concat(out), holder
end

local function decode(identity, children, holder)
  local values, at, child, i = {}, 1, 0, 0
  while at <= #identity do
    local kind = identity:sub(at, at)
    at, i = at + 1, i + 1
    if kind == "n" then
      child = child + 1
      values[i] = children[child]
    elseif kind == "i" then values[i], at = string.unpack("<i8", identity, at)
    elseif kind == "f" then values[i], at = string.unpack("<d", identity, at)
    elseif kind == "s" then values[i], at = string.unpack("<s4", identity, at)
    elseif kind == "T" or kind == "F" then values[i] = kind == "T"
    elseif kind == "0" then values[i] = core.null
    elseif kind == "h" then values[i] = holder and holder[i]
    end
  end
  return values, i
end

--- Give the element of a custom construct its arguments: by position, by name, and all in `clauses`.
local function dress(class, el)
  local values, n
  if el.kind == "func" then
    values, n = el.args, #el.args
  else
    values, n = decode(el.identity, el.children, core.custom_holder(el.element))
  end
  el.clauses, el.class = {}, class
  for i = 1, n do
    local v = values[i]
    el[i] = v
    if class.args and class.args[i] then el[class.args[i]] = v end
    if core.is_node(v) then el.clauses[#el.clauses + 1] = v end
  end
  for _, name in ipairs(class.args or {}) do el._absent[name] = true end
  el.name = el.name or class.name
end

--- Asked by the compiler: run the hook.
local function run(hook, class, dialect, base, element)
  local compiler = setmetatable({dialect = {name = dialect, base = base}}, compiler_meta)
  if core.kind_of(element) == "type" then
    local text = hook(element, compiler)
    if type(text) ~= "string" or text:find("[%z\xff]") or not utf8.len(text) then
      core.exc_raise("ArgumentError", "the compile hook of a type returns its text in DDL, got " .. core.describe(text))
    end
    return text
  end
  if class then dress(class, element) elseif element.kind == "func" then element.clauses = element.args end
  return flatten(hook(setmetatable(element, element_meta), compiler))
end

core.compile_hooks(find, run)

-- ── ag.compiles ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- SQLAlchemy's class names whose construct is called otherwise here.
local other_names = {
  BinaryExpression = "binary", UnaryExpression = "unary", BindParameter = "bind", TextClause = "text", Function = "func",
  CompoundSelect = "compound", ScalarSelect = "scalar_select", Null = "null", True_ = "true", False_ = "false", Grouping = "list",
  BooleanClauseList = "list", ClauseList = "list", TableClause = "table_clause", ColumnClause = "column_clause", CTE = "cte",
  TextualSelect = "text_select", TableValuedAlias = "table_func", WithinGroup = "within_group", FunctionFilter = "filter",
  TryCast = "try_cast", TypeCoerce = "type_coerce", ForUpdateArg = "for_update", SetTableComment = "table_comment",
}

--- The functions of `ag` that make constructs, by the construct's kind.
local makers = {
  insert = "insert", update = "update", delete = "delete", select = "select", case = "case", cast = "cast", try_cast = "try_cast",
  type_coerce = "type_coerce", extract = "extract", tuple_ = "tuple", exists = "exists", bindparam = "bind", text = "text",
  values = "values", null_ = "null", true_ = "true", false_ = "false", CreateTable = "create_table",
  CreateColumn = "create_column", DropTable = "drop_table",
  CreateIndex = "create_index", DropIndex = "drop_index", AddConstraint = "add_constraint", DropConstraint = "drop_constraint",
  CreateSchema = "create_schema", DropSchema = "drop_schema", CreateSequence = "create_sequence", DropSequence = "drop_sequence",
  DDL = "ddl_text",
}

local function kind_of_maker(target)
  local ag = require "argent"
  for name, kind in pairs(makers) do
    if ag[name] == target then return kind end
  end
end

local function type_target(target)
  local name, host = core.type_identity(target)
  core.compile_override "type"
  return host ~= 0 and "type#" .. host or "type:" .. name
end

local function override(kind, key)
  return core.compile_override(kind) and (key or "kind:" .. kind) or nil
end

--- What a target's hooks are kept under; tells the compiler to ask.
local function target_key(target)
  local box = core.kind_of(target)
  if type(target) == "table" and classes[target.number] == target then
    core.compile_override "custom"
    return target
  elseif box == "type" then
    return type_target(target)
  elseif box == "function name" then
    return override("func", "func:" .. core.func_name(target):lower())
  elseif type(target) == "string" then
    local kind = other_names[target] or target:gsub("(%l)(%u)", "%1_%2"):lower()
    return override(kind)
  elseif type(target) == "function" then
    local kind = kind_of_maker(target)
    if kind then return override(kind) end
    local ok, sql_type = pcall(target)
    if ok and core.kind_of(sql_type) == "type" then return type_target(sql_type) end
  end
end

local function add_hook(key, dialect, fn)
  hooks[key] = hooks[key] or {}
  hooks[key][dialect] = fn
end

--- Say how a construct is written: a class of your own, a type (`ag.String`), a function (`ag.func.now`), or one of argent's
--- constructs (`ag.insert`, `ag.CreateTable`, "BinaryExpression"). Without a dialect: on all that have no hook of their own.
---
---     ag.compiles(ag.String, "sqlite", function(t, compiler) return "TEXT" end)
---     ag.compiles(ag.insert, "sqlite", function(el, compiler) return compiler:default(el.element:prefix_with("OR IGNORE")) end)
---@param target any
---@param dialect string|table|fun(element: table, compiler: argent.Compiler): any a dialect's name, or several names
---@param fn? fun(element: table, compiler: argent.Compiler): any
function M.compiles(target, dialect, fn)
  if fn == nil then dialect, fn = "default", dialect end
  check.type("ag.compiles", 3, fn, "function")
  local key = target_key(target)
  if not key then
    check.argument_error("ag.compiles", 1, "expected a class (ag.ColumnElement{…}), a type, a function (ag.func.now) or a construct "
      .. "(ag.insert, ag.CreateTable, \"BinaryExpression\"), got " .. core.describe(target))
  end
  for _, name in ipairs(type(dialect) == "table" and not dialect.name and dialect or {dialect}) do
    name = type(name) == "table" and name.name or name
    check.type("ag.compiles", 2, name, "string")
    add_hook(key, name, fn)
  end
  core.compile_override "custom" -- statements compiled before are compiled again
  return fn
end

--- Take back all hooks of a target.
---@param target any as for ag.compiles
function M.deregister(target)
  local key = target_key(target)
  if not key or not hooks[key] then
    check.argument_error("ag.deregister", 1, "there are no hooks for " .. core.describe(target))
  end
  hooks[key] = nil
  core.compile_override "custom"
end

-- for argent.dialects: hooks that only one dialect made in Lua has; the compiler asks for them there only

--- Returns the kind of construct that the dialect must ask for.
function M._dialect_hook(dialect, name, fn)
  check.callable("ag.dialects.register", 2, fn)
  local func = name:match "^func%.(.+)$"
  if name == "limit" then
    add_hook("kind:limit", dialect, fn)
    return "limit"
  elseif func then
    add_hook("func:" .. func:lower(), dialect, fn)
    return "func"
  end
  local kind = other_names[name] or name:gsub("(%l)(%u)", "%1_%2"):lower()
  if not core.is_kind(kind) then check.argument_error("ag.dialects.register", 2, ("there is no construct '%s' to visit"):format(name)) end
  add_hook("kind:" .. kind, dialect, fn)
  return kind
end

function M._type_hook(dialect, name, fn)
  add_hook("type:" .. name, dialect, fn)
end

-- ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.CustomOptions
---@field name? string for FunctionElement and GenericFunction: the function's
---@field args? string[] names of the arguments, as fields of the hook's element
---@field type? any the SQL type of its value, or a function of the arguments that returns it
---@field inherit_cache? boolean its SQL depends on nothing but its arguments: statements with it are cached
---@field compile? function|table<string, function> hooks: one for all dialects, or by dialect with `default`
local known_options = {
  name = "string", args = "table", type = true, inherit_cache = "boolean", compile = true, base = true, info = true,
}

local function class_new(func, options, more)
  check.type(func, 1, options, "table")
  local known = setmetatable(more or {}, {__index = known_options})
  for key in pairs(options) do
    if known[key] == nil then
      local all = {}
      for name in pairs(known_options) do all[name] = true end
      for name in pairs(more or {}) do all[name] = true end
      check.unknown(func, "option", key, all)
    end
  end
  check.options(func, 1, {name = options.name, args = options.args, inherit_cache = options.inherit_cache}, known_options)
  local class = {number = #classes + 1}
  for key, value in pairs(options) do class[key] = value end
  local compile = options.compile
  if type(compile) == "function" then compile = {default = compile} end
  if compile ~= nil and (type(compile) ~= "table" or core.kind_of(compile)) then
    core.exc_raise("ArgumentError", ("%s: option 'compile': expected a function or a table of functions by dialect, got %s"):format(func,
      core.describe(compile)))
  end
  classes[class.number] = class
  for dialect, fn in pairs(compile or {}) do M.compiles(class, dialect, fn) end
  return class
end

local function result_type(class, ...)
  local t = class.type
  return type(t) == "function" and core.kind_of(t) == nil and t(...) or t
end

local function class_call(flags)
  return function(class, ...)
    local values, children = table.pack(...), {}
    local n = values.n
    if class.args and n > #class.args then
      core.exc_raise("ArgumentError", ("%s takes %d arguments, got %d"):format(class.name or "this construct", #class.args, n))
    end
    for i = 1, n do
      if core.is_node(values[i]) then children[#children + 1] = values[i] end
    end
    local identity, holder = encode(values, n)
    local cacheable = class.inherit_cache and not holder and CACHEABLE or 0
    return core.custom_new(class.number, flags | cacheable, identity, result_type(class, ...), holder, children)
  end
end

local function maker(func, flags, more)
  local call = class_call(flags)
  return function(options)
    return setmetatable(class_new(func, options, more), {__call = call, __name = func})
  end
end

--- A class of SQL expressions. Its instances have all operators; plain arguments (texts, numbers) are seen by the hook as they are.
---
---     local at_zone = ag.ColumnElement{args = {"value", "zone"}, type = ag.DateTime, inherit_cache = true,
---       compile = function(el) return {el.value, " AT TIME ZONE ", ag.literal(el.zone)} end}
---@param options argent.CustomOptions
M.ColumnElement = maker("ag.ColumnElement", 0)

--- A class of clauses without a value, to stand inside other constructs.
---@param options argent.CustomOptions
M.ClauseElement = maker("ag.ClauseElement", CLAUSE)

--- A class of statements: `conn:execute(refresh_view(v))`.
---@param options argent.CustomOptions
M.Executable = maker("ag.Executable", STMT | CLAUSE)

--- A class of DDL statements.
---@param options argent.CustomOptions
M.ExecutableDDLElement = maker("ag.ExecutableDDLElement", STMT | CLAUSE)

-- ── syntax extensions ────────────────────────────────────────────────────────────────────────────────────────────────

--- A class of clauses that statements take with `stmt:ext(…)`. `points` says where for each kind of statement (select: post_select,
--- pre_columns, post_criteria, post_body; insert: post_values; update and delete: post_criteria); for more, functions
--- `apply_to_select(self, stmt)` … that return the statement.
---
---     local qualify = ag.SyntaxExtension{name = "qualify", args = {"criteria"}, inherit_cache = true,
---       points = {select = "post_criteria"}, compile = function(el) return {"QUALIFY ", el.criteria} end}
---     stmt:ext(qualify(ag.func.row_number():over{}:eq(1)))
---@param options argent.CustomOptions
M.SyntaxExtension = maker("ag.SyntaxExtension", CLAUSE, {
  points = "table", apply_to_select = "function", apply_to_insert = "function", apply_to_update = "function",
  apply_to_delete = "function",
})

for _, kind in ipairs{"Select", "Insert", "Update", "Delete"} do
  local methods, what = core.methods(kind), kind:lower()

  --- The statement with a syntax extension.
  ---@param extension any
  function methods.ext(stmt, extension)
    if core.kind_of(stmt) ~= kind then
      check.argument_error(kind .. ":ext", 0, "call methods with a colon")
    end
    local class = core.is_node(extension) and classes[core.custom_class(extension) or 0]
    if not class then
      check.argument_error(kind .. ":ext", 1, "expected an ag.SyntaxExtension, got " .. core.describe(extension))
    end
    local apply, point = class["apply_to_" .. what], class.points and class.points[what]
    if apply then return apply(extension, stmt) end
    if not point then
      core.exc_raise("ArgumentError", ("extension '%s' cannot be applied to %s"):format(class.name or "?", what))
    end
    return core.stmt_extend(stmt, extension, point, false)
  end

  --- The statement with an extension at a point of its text. `replace`: others of the same class there go.
  ---@param extension any
  ---@param point string
  ---@param options? {replace: boolean}
  function methods.apply_syntax_extension_point(stmt, extension, point, options)
    options = check.options(kind .. ":apply_syntax_extension_point", 3, options, {replace = "boolean"})
    return core.stmt_extend(stmt, extension, point, options.replace or false)
  end
end

local on, distinct_on = setmetatable({}, {__mode = "k"}), nil

--- pg.distinct_on(expr, …): an extension that gives a SELECT its DISTINCT ON.
---@param ... any
---@return any
function M._distinct_on(...)
  distinct_on = distinct_on or M.SyntaxExtension{name = "distinct_on",
    apply_to_select = function(self, stmt) return core.select_distinct_on(stmt, table.unpack(on[self])) end}
  if #{...} == 0 then check.argument_error("pg.distinct_on", 1, "expected an expression, got nothing") end
  core.select(core.null_()):distinct(...) -- raises for what is no expression
  local made = distinct_on()
  on[made] = {...}
  return made
end

local function function_call(extra)
  return function(class, ...)
    local flags = extra | (class.inherit_cache and FUNC_CACHEABLE or 0) | (class.aggregate and FUNC_AGGREGATE or 0)
      | (NAME_QUOTING[class.quote] or 0)
    return core.custom_func(class.number, flags, class.package or {}, class.name, result_type(class, ...), ...)
  end
end

--- Options whose name is its text, and what `ag.quoted_name(text, quote)` said of it.
local function with_plain_name(options)
  local util = require "argent.schema.util"
  local name, quote = util.read_name(options.name)
  if name == nil or name == options.name then return options end
  local copy = util.clone(options)
  copy.name = name
  return copy, quote
end

local function function_class(func, options, extra)
  check.type(func, 1, options, "table")
  local plain, quote = with_plain_name(options)
  local class = class_new(func, plain, {package = true, identifier = "string", aggregate = "boolean"})
  class.quote = quote
  if type(class.name) ~= "string" then check.argument_error(func, 1, "option 'name': a function needs a name") end
  if type(class.package) == "string" then class.package = {class.package} end
  return setmetatable(class, {__call = function_call(extra), __name = func})
end

--- A class of SQL functions with compile hooks; `aggregate`: it is one. Plain arguments are binds; over, filter, table_valued … work.
---@param options argent.CustomOptions
function M.FunctionElement(options)
  return function_class("ag.FunctionElement", options, 0)
end

local registered = setmetatable({}, {__index = function(t, name)
  local lower = name:lower()
  return lower ~= name and rawget(t, lower) or nil
end})

--- A function known by name: `ag.func.<name>` makes it from then on, with its type. Without a hook it is written name(args).
--- `package`: it is `ag.func.<package>.<name>`; `identifier`: its name on ag.func when that is another one.
---
---     ag.GenericFunction{name = "as_utc", type = ag.DateTime}
---     ag.func.as_utc(t.c.x):year()
---@param options argent.CustomOptions
function M.GenericFunction(options)
  check.type("ag.GenericFunction", 1, options, "table")
  if options.inherit_cache == nil then
    local copy = {inherit_cache = true}
    for key, value in pairs(options) do copy[key] = value end
    options = copy
  end
  local class = function_class("ag.GenericFunction", options, FUNC_GENERIC)
  local path = {}
  for i, part in ipairs(class.package or {}) do path[i] = part end
  path[#path + 1] = class.identifier or class.name
  M.register_function(table.concat(path, "."), class)
  class.package = nil -- the package is one of ag.func's, not of the database
  return class
end

--- Make `ag.func.<identifier>(…)` call a class or function.
---@param identifier string with its package before it: "geo.st_within"
---@param fn any
function M.register_function(identifier, fn)
  check.type("ag.register_function", 1, identifier, "string")
  if type(fn) ~= "table" or not classes[fn.number] then check.type("ag.register_function", 2, fn, "function") end
  rawset(registered, identifier:lower(), fn)
  core.func_registry(registered)
end

return M
