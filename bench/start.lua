-- P14: require, an engine, one query. Measured from outside, as a whole process.
local ag = require "argent"
local engine = ag.create_engine("sqlite://")
local conn <close> = engine:connect()
assert(conn:scalar(ag.select(ag.literal(1))) == 1)
