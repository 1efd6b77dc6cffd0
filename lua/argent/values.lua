--- ag.date, ag.time, ag.datetime, ag.interval: callable, with the constructors that need no text. The values are C's.
---
--- As table keys such values count by identity; `t[tostring(d)]` counts by content.
local core = require "argent.core"

local function callable(make, functions)
  return setmetatable(functions, {__call = function(_, ...) return make(...) end})
end

local M = {}

--- A date: `ag.date("2024-01-05")`, `ag.date{year = 2024, month = 1, day = 5}`.
---@class argent.date.new
---@overload fun(value: string|table): argent.date
M.date = callable(core.date, {
  --- Today, in UTC.
  ---@return argent.date
  today = function() return core.datetime_now(false):date() end,
})

---@class argent.time.new
---@overload fun(value: string|table): argent.time
M.time = callable(core.time, {})

--- A datetime: `ag.datetime("2024-01-05 10:00:00")`, with an offset `"2024-01-05 10:00:00+02"`, or from a table of fields.
---@class argent.datetime.new
---@overload fun(value: string|table): argent.datetime
M.datetime = callable(core.datetime, {
  --- The present in UTC, with the offset +00:00.
  ---@return argent.datetime
  now = function() return core.datetime_now(true) end,
  --- The present in UTC without an offset, as `timestamp without time zone` columns hold it.
  ---@return argent.datetime
  utcnow = function() return core.datetime_now(false) end,
  --- From seconds since 1970-01-01 UTC.
  ---@param seconds number
  ---@return argent.datetime
  from_timestamp = function(seconds) return core.datetime_from_timestamp(seconds) end,
})

---@class argent.interval.new
---@overload fun(value: string|table): argent.interval
M.interval = callable(core.interval, {})

return M
