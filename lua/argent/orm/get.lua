--- session:get beyond what the C method answers: composite keys, expired objects, options, the SELECT.
local core = require "argent.core"
local check = require "argent.check"
local guard = require "argent.orm.guard"
local load = require "argent.orm.load"
local query = require "argent.orm.query"

local M = {}

---@class argent.Session
local Session = check.methods("Session")

local ag
local function argent()
  ag = ag or require "argent"
  return ag
end

local function part(class) return core.orm_class_part(class, "info") end

--- Key values: one value, an array, or a table by attribute name.
local function key_values(class, ident)
  local pk = query.shape(class).pk
  if type(ident) ~= "table" then return ident end
  if getmetatable(ident) == nil and next(ident) ~= nil and ident[1] == nil then
    local values = {}
    for i, key in ipairs(pk) do
      values[i] = ident[key]
      if values[i] == nil then
        core.exc_raise("InvalidRequestError", ("Incorrect names of values in identifier to formulate primary key for session:get(); primary key "
          .. "attribute names are %s"):format(table.concat(pk, ", ")))
      end
    end
    return table.unpack(values, 1, #pk)
  end
  local n = #ident -- of a table of the user's: whatever its __len says
  if math.type(n) ~= "integer" then
    core.exc_raise("ArgumentError", ("an identity is a value or a list of %d values, got a table of length %s"):format(#pk, core.describe(n)))
  end
  return table.unpack(ident, 1, math.min(n, #pk + 1)) -- one too many is enough to be told so
end

--- SELECT by primary key, kept with the class: {stmt, names of the parameters}.
local function get_statement(class)
  local info = part(class)
  if info.get_statement then return info.get_statement end
  local stmt, names = argent().select(class), {}
  for i, key in ipairs(query.shape(class).pk) do
    names[i] = ("pk_%d"):format(i)
    stmt = stmt:where(class[key]:eq(argent().bindparam(names[i], {type = class[key].type})))
  end
  info.get_statement = {stmt = stmt, names = names}
  return info.get_statement
end

local function still_there(session, object)
  for _, key in ipairs(core.orm_unloaded(object)) do
    for _, slot in ipairs(query.shape(core.orm_class_of(object)).slots) do
      if slot.key == key and slot.pk then -- expired as a whole: does its row exist?
        local ok, err = pcall(load.refresh, object, key)
        if ok then return true end
        if core.exc_is_error(err) and err:is(require("argent.exc").ObjectDeletedError) then return false end
        error(err, 0)
      end
    end
  end
  local _ = session
  return true
end

--- class → {statement, name of its parameter, query, the class's info}: what the next get of a plain key needs. The query is right
--- as long as it is the class's own: listeners that come or go make another (query.changed).
local quick = setmetatable({}, {__mode = "k"})

local function remember(class, made, sent, q)
  local info = part(class)
  if sent == made.stmt and q == info.plain_query and #made.names == 1 and #q.post == 0 then
    quick[class] = {stmt = sent, name = made.names[1], query = q, info = info}
  end
end

local function get_quick(session, known, ident)
  local _ <close> = guard.enter(session, "get")
  local info = session:_info()
  guard.check_usable(info)
  local conn = info.tx and info.conn or session:connection()
  local query_ = known.query
  local items, _, _, loaded, refreshed = core.orm_load(session, conn:execute(known.stmt, {[known.name] = ident}), query_.plan, false)
  if loaded or refreshed then query.tell(session, loaded, refreshed) end
  return items[1]
end

local get_options = {options = "table", populate_existing = "boolean", with_for_update = true, execution_options = "table"}

local function get_with(session, class, params, options)
  local stmt = get_statement(class).stmt
  if options.with_for_update then stmt = stmt:with_for_update(options.with_for_update ~= true and options.with_for_update or nil) end
  if options.options then stmt = stmt:options(table.unpack(options.options)) end
  return query.execute(session, session:connection(), stmt, params, {populate_existing = options.populate_existing
    or (options.with_for_update and true), execution_options = options.execution_options}):unique():scalars():one_or_none()
end

--- session:get(class, ident, options): the session does not have the object, or it is expired. The C method is the quick way.
---@param session argent.Session
---@param class argent.Class
---@param ident any value, array of values, or table by attribute name
---@param options? {options: argent.LoaderOption[]?, populate_existing: boolean?, with_for_update: boolean|table?}
---@param missing boolean? a plain key, and the session has no object of that key
---@return any
function M.get(session, class, ident, options, missing)
  local known = missing and quick[class]
  if known and known.info.plain_query == known.query then
    local criteria = session:_info().criteria
    if not (criteria and criteria[1]) then return get_quick(session, known, ident) end
  end
  if core.kind_of(class) ~= "Mapper" then
    check.argument_error("Session:get", 1, "expected a class, got " .. core.describe(class))
  end
  if ident == nil then check.argument_error("Session:get", 2, "expected a primary key, got nil") end
  local values = table.pack(key_values(class, ident))
  local npk = #query.shape(class).pk
  if values.n ~= npk then
    core.exc_raise("InvalidRequestError", ("Incorrect number of values in identifier to formulate primary key for session:get(): %s has %d, "
      .. "got %d"):format(part(class).name, npk, values.n))
  end
  options = options ~= nil and check.options("Session:get", 3, options, get_options) or nil
  if options == nil or not (options.populate_existing or options.with_for_update) then
    local object = session:_identity(class, table.unpack(values, 1, values.n))
    if object ~= nil then return still_there(session, object) and object or nil end
  end
  local _ <close> = guard.enter(session, "get")
  guard.check_usable(session:_info())
  local made = get_statement(class)
  local params = {}
  for i = 1, values.n do params[made.names[i]] = values[i] end
  if options ~= nil then return get_with(session, class, params, options) end
  local sent, q = query.prepare_node(made.stmt, class, nil, session:_criteria())
  remember(class, made, sent, q)
  return query.load_items(session, q, session:connection():execute(sent, params))[1]
end

--- As get, but raises NoResultFound.
---@param class argent.Class
---@param ident any
---@param options? table
---@return any
function Session:get_one(class, ident, options)
  local object = self:get(class, ident, options)
  if object == nil then
    core.exc_raise("NoResultFound", ("No row was found when one was required: %s(%s)"):format(part(class).name,
      type(ident) == "table" and "…" or tostring(ident)))
  end
  return object
end

return M
