--- `ag.try(f, …)`: the values f returns, or `nil, e` for any error.
local function finish(ok, ...)
  if ok then return ... end
  return nil, (...)
end

--- Call `f` with the arguments; an error becomes `nil, e` (an argent error object, or whatever was raised).
---
---     local user, e = ag.try(session.get, session, User, 1)
---@param f function
---@param ... any
---@return any value
---@return any e
return function(f, ...)
  return finish(pcall(f, ...))
end
