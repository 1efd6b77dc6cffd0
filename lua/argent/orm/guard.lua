--- A session serves one coroutine at a time: who uses it now.
local core = require "argent.core"

local M = {}

local guard_meta = {__close = function(guard)
  guard.depth = guard.depth - 1
  if guard.depth == 0 then guard.co, guard.name = nil, nil end
end}

--- What a session's `busy` begins as.
---@return table
function M.new() return setmetatable({depth = 0}, guard_meta) end

--- Mark the session as used by this coroutine until the returned value is closed.
---@param session argent.Session
---@param name string of the operation, for messages
---@return table to be closed
function M.enter(session, name)
  local info = session:_info()
  local guard = info.busy
  local co = coroutine.running()
  if guard.depth > 0 and guard.co ~= co then
    if coroutine.status(guard.co) ~= "dead" then
      core.exc_raise("IllegalStateChangeError", ("Method '%s' can't be called here; method '%s' is already in progress in another coroutine: "
        .. "a session serves one coroutine at a time"):format(name, guard.name))
    end
    guard.depth = 0
    session:_flush_over()
  end
  if guard.depth == 0 then
    guard.co, guard.name = co, name
  end
  guard.depth = guard.depth + 1
  return guard
end

--- Raise when a flush failed and rollback() has not been called yet.
---@param info table
function M.check_usable(info)
  if info.failed then
    core.exc_raise("PendingRollbackError", ("This Session's transaction has been rolled back due to a previous exception during flush. To begin "
      .. "a new transaction with this Session, first issue session:rollback(). Original exception was: %s"):format(info.failed))
  end
end

return M
