--- ag.TypeDecorator and ag.UserDefinedType: what needs no C of their options. `bind_processor`, `result_processor` and `literal_processor`
--- become the process_… functions, `load_dialect_impl` becomes variants of the decorated type.
local core = require "argent.core"

local M = {}

local processors = {
  bind_processor = "process_bind_param", result_processor = "process_result_value", literal_processor = "process_literal_param",
}

--- A process_… function out of one that makes such functions, once for each dialect.
local function processor(spec, name, make)
  local made = {}
  return function(_, value, dialect)
    local key = dialect and dialect.name or ""
    if made[key] == nil then
      local f = make(spec, dialect)
      if f ~= nil and type(f) ~= "function" then
        core.exc_raise("ArgumentError", ("%s of a type returned %s instead of a function"):format(name, core.describe(f)))
      end
      made[key] = f or false
    end
    if made[key] then return made[key](value) end
    return value
  end
end

local function check_functions(what, spec)
  for _, name in ipairs{"bind_processor", "result_processor", "literal_processor", "load_dialect_impl"} do
    if spec[name] ~= nil and type(spec[name]) ~= "function" then
      core.exc_raise("ArgumentError", ("%s: option '%s': expected a function, got %s"):format(what, name, core.describe(spec[name])))
    end
  end
end

--- The options as the core takes them: the same table, or a copy of it where it has functions that make functions.
local function plain_options(what, spec)
  if type(spec) ~= "table" then return spec end
  check_functions(what, spec)
  local out = spec
  for maker, name in pairs(processors) do
    if spec[maker] then
      if spec[name] then core.exc_raise("ArgumentError", ("%s has both '%s' and '%s'"):format(what, maker, name)) end
      if out == spec then
        out = {}
        for key, value in pairs(spec) do out[key] = value end
      end
      out[name] = processor(spec, maker, spec[maker])
      out[maker] = nil
    end
  end
  return out
end

--- The decorated type with a variant for each dialect whose load_dialect_impl gives another one.
local function with_impls(spec)
  local impl = spec.impl
  for _, name in ipairs{"sqlite", "postgresql"} do
    local own = spec.load_dialect_impl(spec, {name = name})
    if core.kind_of(own) ~= "type" then
      core.exc_raise("ArgumentError", ("load_dialect_impl of a type returned %s instead of a type"):format(core.describe(own)))
    end
    if own ~= spec.impl then impl = impl:with_variant(own, name) end
  end
  return impl
end

--- A type that wraps another one:
---
---     local Csv = ag.TypeDecorator{impl = ag.Text, cache_ok = true,
---       process_bind_param = function(self, value, dialect) return value and table.concat(value, ",") end}
---@param spec table impl, cache_ok, process_bind_param, process_result_value, process_literal_param, bind_processor, result_processor,
--- literal_processor, bind_expression, column_expression, comparator_factory, coerce_compared_value,
--- coerce_to_is_types (a list of "nil" and "boolean": what eq writes as a constant; {"nil"} by itself), load_dialect_impl
---@param ... any nothing more: refused
---@return argent.Type
function M.TypeDecorator(spec, ...)
  spec = plain_options("TypeDecorator", spec)
  if type(spec) == "table" and spec.load_dialect_impl and core.kind_of(spec.impl) == "type" then
    local copy = {}
    for key, value in pairs(spec) do copy[key] = value end
    copy.impl, copy.load_dialect_impl = with_impls(spec), nil
    spec = copy
  end
  return core.TypeDecorator(spec, ...)
end

--- A type of a name of its own: `ag.UserDefinedType{get_col_spec = "GEOMETRY"}`.
---@param spec table get_col_spec (text or a function), and the options of TypeDecorator but impl and load_dialect_impl
---@param ... any nothing more: refused
---@return argent.Type
function M.UserDefinedType(spec, ...)
  return core.UserDefinedType(plain_options("UserDefinedType", spec), ...)
end

return M
