--- Window frames whose bounds are no integers: `RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW`.
local core = require "argent.core"
local check = require "argent.check"

local M = {}

--- Kinds of bounds.
M.FrameClauseType = {UNBOUNDED = "UNBOUNDED", CURRENT = "CURRENT", PRECEDING = "PRECEDING", FOLLOWING = "FOLLOWING"}

--- A frame for `over{range = …}`, `rows`, `groups`: values of the bounds (nil for UNBOUNDED and CURRENT) and their kinds.
---
---     local T = ag.FrameClauseType
---     ag.func.sum(t.c.n):over{order_by = t.c.day, range = ag.FrameClause(ag.interval{days = 1}, nil, T.PRECEDING, T.CURRENT)}
---@param start any
---@param stop any
---@param start_frame_type string
---@param end_frame_type string
---@return table
function M.FrameClause(start, stop, start_frame_type, end_frame_type)
  if type(start) == "table" and getmetatable(start) == nil and stop == nil and start_frame_type == nil then
    local o = check.options("ag.FrameClause", 1, start, {start = true, end_ = true, start_frame_type = true, end_frame_type = true})
    return M.FrameClause(o.start, o.end_, o.start_frame_type, o.end_frame_type)
  end
  for i, kind in ipairs{start_frame_type or false, end_frame_type or false} do
    if not M.FrameClauseType[kind] then
      check.argument_error("ag.FrameClause", i + 2, "expected one of ag.FrameClauseType, got " .. core.describe(kind))
    end
  end
  return {start == nil and core.null or start, stop == nil and core.null or stop,
    start_frame_type = start_frame_type, end_frame_type = end_frame_type}
end

return M
