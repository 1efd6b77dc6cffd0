--- The classes of errors: `ag.exc.IntegrityError` … as in sqlalchemy.exc and sqlalchemy.orm.exc. A misspelt name raises.
---
---     local ok, e = pcall(conn.execute, conn, stmt)
---     if not ok and ag.exc.is_error(e) and e:is(ag.exc.IntegrityError) then print(e.constraint) end
local core = require "argent.core"

---@class argent.exc.Class: {name: string, parent: argent.exc.Class?}
---@overload fun(message: string|table): argent.Error

---@class argent.Error
---@field message string
---@field sqlstate string?
---@field code integer? the driver's own
---@field constraint string?
---@field table string?
---@field column string?
---@field schema string?
---@field detail string?
---@field hint string?
---@field statement string?
---@field params any[]? values of the statement; of an executemany an array of arrays
---@field orig string? the driver's text, of a DBAPIError
---@field retryable boolean?
---@field connection_invalidated boolean?
---@field where string? the line of the program that was running
---@field class argent.exc.Class
---@field name string
---@field is fun(self: argent.Error, class: argent.exc.Class): boolean

---@class argent.exc
local M = {}

local function define(name, parent)
  M[name] = core.exc_define(name, core.exc_class(parent))
end

define("DisconnectionError", "Error")
M.InvalidatePoolError = core.exc_define("InvalidatePoolError", M.DisconnectionError)
define("NotImplementedError", "InvalidRequestError")
define("AwaitRequired", "InvalidRequestError")
define("LoaderStrategyException", "InvalidRequestError")
define("MappedAnnotationError", "ArgumentError")
define("InvalidatedConnectionError", "InvalidRequestError")

-- SQLAlchemy's other names of the same classes
local aliases = {SQLAlchemyError = "Error", NoSuchAttributeError = "ArgumentError", ConcurrentModificationError = "StaleDataError"}

--- True when `e` is an error object of argent (any class).
---@param e any
---@return boolean
function M.is_error(e)
  return core.exc_is_error(e)
end

return setmetatable(M, {
  __index = function(t, name)
    local class = type(name) == "string" and core.exc_class(aliases[name] or name)
    if not class then
      local known = core.exc_names()
      for key in pairs(aliases) do known[#known + 1] = key end
      for key in next, t do known[#known + 1] = key end
      local near = type(name) == "string" and core.nearest(name, known)
      core.exc_raise("ArgumentError", ("ag.exc has no class '%s'%s"):format(tostring(name),
        near and ("; did you mean '%s'?"):format(near) or ""))
    end
    rawset(t, name, class)
    return class
  end,
})
