--- scoped_session: one session a scope (the running coroutine, or what a function of yours gives), made at first use, so that code deep in
--- an application need not be handed one.
local core = require "argent.core"
local check = require "argent.check"
local warn = require "argent.warn"

local M = {}

-- ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────────────

---@class argent.ScopedRegistry
local Registry = {__name = "argent.ScopedRegistry"}
Registry.__index = Registry

--- The scope that runs now. Without a function of the program's it is the coroutine (or the main program), and a session goes with its
--- coroutine.
local function scope(registry)
  if not registry._scopefunc then return (coroutine.running()) end
  local key = registry._scopefunc()
  if key == nil or key ~= key then core.exc_raise("ArgumentError", "ag.scoped_session: scopefunc gave no key for the scope: " .. tostring(key)) end
  return key
end

--- Is there a session in this scope?
---@return boolean
function Registry:has() return self._sessions[scope(self)] ~= nil end

--- Make this session the scope's.
---@param session argent.Session
function Registry:set(session)
  check.type("ScopedRegistry:set", 1, session, "Session")
  self._sessions[scope(self)] = session
end

--- Forget the scope's session, without closing it.
function Registry:clear() self._sessions[scope(self)] = nil end

--- The session of this scope; made if there is none.
---@return argent.Session
function Registry:__call()
  local key = scope(self)
  local session = self._sessions[key]
  if session == nil then
    session = self._createfunc()
    self._sessions[key] = session
  end
  return session
end

-- ── the proxy ───────────────────────────────────────────────────────────────────────────────────────────────────────────

local Scoped = {__name = "argent.scoped_session"} -- its own methods; all others are the session's

--- The session of this scope. With options there must be none yet.
---@param options? argent.SessionOptions
---@return argent.Session
function Scoped:_session(options)
  if options == nil then return self.registry() end
  if self.registry:has() then
    core.exc_raise("InvalidRequestError", "Scoped session is already present; no new arguments may be specified.")
  end
  local session = self.session_factory(options)
  self.registry:set(session)
  return session
end

--- Close this scope's session and forget it: the next use makes another.
function Scoped:remove()
  if self.registry:has() then self.registry():close() end
  self.registry:clear()
end

--- Change the options of sessions that are made from now on.
---@param options table
function Scoped:configure(options)
  if self.registry:has() then
    warn "At least one scoped session is already present. configure() can not affect sessions that have already been created."
  end
  self.session_factory:configure(options)
end

--- Methods that pass a call on to the scope's session, by name.
local forwarders = setmetatable({}, {__index = function(list, name)
  local function forward(self, ...)
    if getmetatable(self) ~= M.meta then
      core.exc_raise("ArgumentError", ("bad self of scoped_session:%s (call methods with a colon)"):format(name))
    end
    local session = self.registry()
    return session[name](session, ...)
  end
  list[name] = forward
  return forward
end})

---@class argent.scoped_session: argent.Session
---@field registry argent.ScopedRegistry
---@field session_factory argent.sessionmaker
M.meta = {
  __name = "argent.scoped_session",
  __index = function(self, name)
    if Scoped[name] then return Scoped[name] end
    local value = self.registry()[name]
    if type(value) == "function" then return forwarders[name] end
    return value
  end,
  __newindex = function(self, name, value) self.registry()[name] = value end,
  __call = Scoped._session,
  __tostring = function() return "argent.scoped_session" end,
}

--- A session for each scope. It has the methods and fields of a session, and gives each call to the scope's own.
---
---     local Session = ag.scoped_session(ag.sessionmaker(engine))
---     Session:add(User{name = "ann"})     -- in any function of the same coroutine
---     Session:commit()
---     Session:remove()                    -- at the end of a request
---@param session_factory argent.sessionmaker or a function that gives a session
---@param scopefunc? fun(): any gives a key for the scope: a request, a tenant. Default: the running coroutine
---@return argent.scoped_session
function M.scoped_session(session_factory, scopefunc)
  check.callable("ag.scoped_session", 1, session_factory)
  if scopefunc ~= nil then check.callable("ag.scoped_session", 2, scopefunc) end
  local registry = setmetatable({_scopefunc = scopefunc, _createfunc = function() return session_factory() end,
    _sessions = scopefunc and {} or setmetatable({}, {__mode = "k"})}, Registry)
  return setmetatable({session_factory = session_factory, registry = registry}, M.meta)
end

return M
