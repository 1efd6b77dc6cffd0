--- The "expire" event: put around the session's methods when a class first has listeners for it.
local core = require "argent.core"
local check = require "argent.check"
local events = require "argent.orm.events"

local M = {}

local installed = false
--- Once.
function M.install()
  if installed then return end
  installed = true
  local Session = check.methods("Session")
  local expire, expire_all = Session.expire, Session.expire_all
  Session.expire = function(session, object, names)
    expire(session, object, names)
    events.expired({object}, names)
  end
  Session.expire_all = function(session)
    local list = {}
    for _, object in ipairs(session:_persistent()) do
      if events.class_listeners(core.orm_class_of(object), "expire") then list[#list + 1] = object end
    end
    expire_all(session)
    events.expired(list)
  end
end

return M
