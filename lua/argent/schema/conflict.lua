--- on_conflict_…{constraint = a constraint or an index}: the options that say the same by name or by elements.
local core = require "argent.core"
local util = require "argent.schema.util"

--- An option of PostgreSQL's that the object was made with.
local function postgresql_option(object, name)
  for _, o in ipairs(object._options) do
    if o.dialect == "postgresql" and o.name == name then return o.node or o.value end
  end
end

---@param options table what on_conflict_do_update or on_conflict_do_nothing was given
---@return table
return function(options)
  local object = options.constraint
  local kind = type(object) == "table" and getmetatable(object)
  local is_index = kind and kind.class_name == "Index"
  if not (kind and (kind.is_constraint or is_index) and kind.class_name) then
    util.fail("ArgumentError", "option 'constraint': expected the name of a constraint, a constraint or an Index, got %s", core.describe(object))
  end
  if options.index_elements ~= nil then util.fail("ArgumentError", "'constraint' and 'index_elements' are mutually exclusive") end
  local out = {}
  for k, v in pairs(options) do out[k] = v end
  out.constraint = nil
  if not is_index and object.name ~= nil then
    out.constraint = tostring(object.name)
    return out
  end
  out.index_elements = is_index and object.expressions or object.columns
  out.index_where = postgresql_option(object, "where")
  if #out.index_elements == 0 then util.fail("ArgumentError", "option 'constraint': the %s has no columns", kind.class_name) end
  return out
end
