--- What the parts of argent.schema share: names, options, classes of plain objects.
local core = require "argent.core"

local M = {}

--- Raise an error of a class of ag.exc.
---@param class string
---@param text string a format, when more follows
---@param ... any
function M.fail(class, text, ...)
  return core.exc_raise(class, (...) ~= nil and text:format(...) or text)
end

--- An ArgumentError "ag.Column: …".
---@param func string
---@param text string a format, when more follows
---@param ... any
function M.bad(func, text, ...)
  return core.exc_raise("ArgumentError", func .. ": " .. ((...) ~= nil and text:format(...) or text))
end

-- ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local Name = {__name = "argent.quoted_name"}
Name.__index = Name
Name.__tostring = function(self) return self.name end
Name.__eq = function(a, b) return tostring(a) == tostring(b) end

--- A name with a rule of its own: `quote` true or false, `conv`: made by a convention already.
---@param name string
---@param quote boolean?
---@param conv boolean?
function M.name(name, quote, conv)
  return setmetatable({name = name, quote = quote, conv = conv}, Name)
end

--- A list of names (strings and quoted_names) as their texts.
---@param func string for the error
---@param what string before the number of the item
---@param list any[]
---@return string[]
function M.names(func, what, list)
  local out = {}
  for i, value in ipairs(list) do
    out[i] = M.read_name(value)
    if out[i] == nil then M.bad(func, "%s %d: expected a name, got %s", what, i, core.describe(value)) end
  end
  return out
end

--- Text, quote and conv of a name (a string or a quoted_name); nil for anything else.
---@param value any
---@return string?, boolean?, boolean?
function M.read_name(value)
  if type(value) == "string" then return value end
  if getmetatable(value) == Name then return value.name, value.quote, value.conv end
end

--- The same for an option that must be a name or nil.
---@param func string
---@param what string
---@param value any
function M.opt_name(func, what, value)
  if value == nil then return nil end
  local text, quote, conv = M.read_name(value)
  if not text then M.bad(func, "option '%s': expected a name, got %s", what, core.describe(value)) end
  if text == "" then M.bad(func, "option '%s' is empty", what) end
  return text, quote, conv
end

--- An identifier in double quotes.
---@param name string
---@return string
function M.quoted(name) return '"' .. name:gsub('"', '""') .. '"' end

--- A copy of an info table: what is changed in one is not in the other.
---@param info table
---@return table
function M.clone(info)
  local out = {}
  for key, value in pairs(info) do out[key] = value end
  return out
end

-- ── options ──────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Options of one dialect, `known[dialect]`: names without the prefix, by the construct they belong to.
local dialect_options = {
  Table = {
    sqlite = {autoincrement = "boolean", with_rowid = "boolean", strict = "boolean", include_internal = "boolean"},
    postgresql = {inherits = "list", partition_by = "text", tablespace = "text", with_oids = "boolean", on_commit = "text",
      with = "map", using = "text", unlogged = "boolean", partition_of = "text", partition_bound = "text",
      ignore_search_path = "boolean"},
  },
  View = {
    sqlite = {if_not_exists = "boolean"},
    postgresql = {with = "map"},
  },
  Column = {
    sqlite = {on_conflict_primary_key = "text", on_conflict_not_null = "text", on_conflict_unique = "text"},
    postgresql = {},
  },
  PrimaryKeyConstraint = {
    sqlite = {on_conflict = "text"},
    postgresql = {include = "list"},
  },
  UniqueConstraint = {
    sqlite = {on_conflict = "text"},
    postgresql = {include = "list", nulls_not_distinct = "boolean"},
  },
  ForeignKeyConstraint = {
    sqlite = {},
    postgresql = {not_valid = "boolean"},
  },
  CheckConstraint = {
    sqlite = {on_conflict = "text"},
    postgresql = {not_valid = "boolean", no_inherit = "boolean"},
  },
  Index = {
    sqlite = {where = "condition"},
    postgresql = {using = "text", where = "condition", ops = "map", with = "map", include = "list", concurrently = "boolean",
      tablespace = "text", nulls_not_distinct = "boolean"},
  },
}

local function column_text(value)
  if core.kind_of(value) == "Column" then return value.name end
  return M.read_name(value)
end

local function pairs_of(func, key, value, map)
  local out = {}
  if map then
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do
      local text = column_text(name)
      if not text then M.bad(func, "option '%s': expected names as keys", key) end
      local v = value[name]
      if type(v) == "table" then M.bad(func, "option '%s': the value of '%s' is a table", key, text) end
      out[#out + 1] = {key = text, value = v ~= core.null and tostring(v) or ""}
    end
    return out
  end
  for i, item in ipairs(value) do
    local text = column_text(item)
    if not text and not core.schema_is_expression(item) then
      M.bad(func, "option '%s', item %d: expected a name, got %s", key, i, core.describe(item))
    end
    out[i] = text and {value = text} or {node = item}
  end
  return out
end

local function read_option(func, key, dialect, name, kind, value)
  local o = {dialect = dialect, name = name}
  if kind == "condition" then
    o.node = type(value) == "string" and core.text(value) or value
    if not core.schema_is_expression(o.node) then
      M.bad(func, "option '%s': expected a condition, got %s", key, core.describe(value))
    end
  elseif kind == "list" then
    if type(value) ~= "table" or getmetatable(value) then value = {value} end
    o.pairs = pairs_of(func, key, value, false)
  elseif kind == "map" then
    if type(value) ~= "table" then M.bad(func, "option '%s': expected a table, got %s", key, core.describe(value)) end
    o.pairs = pairs_of(func, key, value, true)
  else
    local want = kind == "text" and "string" or kind
    if type(value) ~= want then M.bad(func, "option '%s': expected a %s, got %s", key, want, core.describe(value)) end
    if value == "" then M.bad(func, "option '%s' is empty", key) end
    o.value = value
  end
  return o
end

--- Check an options table: keys in `known` (name → Lua type, list of types, or true) and those of dialects for `construct`.
--- Returns the table (never nil) and the list of dialect options.
---@param func string as users call it
---@param options table?
---@param known table<string, any>
---@param construct string? key of the dialects' options
---@return table options, table dialect_options
function M.options(func, options, known, construct)
  local list = {}
  if options ~= nil and (type(options) ~= "table" or getmetatable(options) ~= nil) then
    M.bad(func, "expected a plain options table, got %s", core.describe(options))
  end
  for key, value in pairs(options or {}) do
    local want = known[key]
    local dialect, name = nil, nil
    if want == nil and construct and type(key) == "string" then
      dialect, name = key:match("^(%l+)_(.+)$")
      want = dialect and dialect_options[construct][dialect] and dialect_options[construct][dialect][name]
    end
    if want == nil then
      local all = setmetatable({}, nil)
      for k in pairs(known) do all[k] = true end
      for d, names in pairs(construct and dialect_options[construct] or {}) do
        for n in pairs(names) do all[d .. "_" .. n] = true end
      end
      require "argent.check".unknown(func, "option", key, all)
    end
    if dialect and name then
      list[#list + 1] = read_option(func, key, dialect, name, want, value)
    elseif type(want) == "string" and type(value) ~= want and core.kind_of(value) ~= want then
      M.bad(func, "option '%s': expected a %s, got %s", tostring(key), want, core.describe(value))
    end
  end
  table.sort(list, function(a, b) return a.dialect .. a.name < b.dialect .. b.name end)
  return options or {}, list
end

--- A plain table: options or a list, no object of ours.
---@param value any
---@return boolean
function M.is_plain(value)
  return type(value) == "table" and getmetatable(value) == nil
end

--- The arguments of a construct: positional ones, and the options when the last is a plain table with a string key (or empty).
---@param ... any
---@return table args, table? options
function M.arguments(...)
  local args = table.pack(...)
  local last = args[args.n]
  if args.n > 0 and M.is_plain(last) and (next(last) == nil or type(next(last)) == "string" or #last == 0) then
    args[args.n] = nil
    args.n = args.n - 1
    return args, last
  end
  return args, nil
end

-- ── classes of plain objects ─────────────────────────────────────────────────────────────────────────────────────────

local counter = 0

local classes = {}

--- The class of an object made by one of these classes; nil for anything else.
---@param value any
---@return table?
function M.class_of(value)
  local class = type(value) == "table" and getmetatable(value)
  return class and classes[class] or nil
end

--- A class of plain objects: attributes that may be nil are declared, unknown ones raise with a hint.
---@param name string
---@param attributes string[]
function M.class(name, attributes)
  local class = {__name = "argent." .. name, class_name = name, methods = {}, getters = {}, known = {}}
  classes[class] = class
  for _, key in ipairs(attributes) do class.known[key] = true end
  function class.__index(self, key)
    local method = class.methods[key]
    if method ~= nil then return method end
    if class.getters[key] then return class.getters[key](self) end
    if class.known[key] or (type(key) == "string" and key:sub(1, 1) == "_") then return nil end
    local all = {}
    for k in pairs(class.known) do all[#all + 1] = k end
    for k in pairs(class.methods) do all[#all + 1] = k end
    for k in pairs(class.getters) do all[#all + 1] = k end
    local near = type(key) == "string" and core.nearest(key, all)
    return M.fail("ArgumentError", "%s has no attribute '%s'%s", name, tostring(key),
      near and ("; did you mean '%s'?"):format(near) or "")
  end
  function class.__tostring(self)
    local n = rawget(self, "name")
    return type(n) == "string" and ("%s(%q)"):format(name, n) or name .. "()"
  end
  --- Objects of declaration order.
  function class.new(fields)
    counter = counter + 1
    fields._order = counter
    return setmetatable(fields, class)
  end
  function class.is(value)
    return type(value) == "table" and getmetatable(value) == class
  end
  return class
end

return M
