-- P14: require, an engine, one query. Measured from outside, as a whole process. usage: start.lua [peak]: prints the process's peak
-- memory in MB.
local ag = require "argent"
local engine = ag.create_engine("sqlite://")
local conn <close> = engine:connect()
assert(conn:scalar(ag.select(ag.literal(1))) == 1)
if arg[1] == "peak" then
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s*(%d+)"
    if kb then print(("%.2f"):format(tonumber(kb) / 1024)) end
  end
end
