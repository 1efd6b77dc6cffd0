--- Methods of expressions by their PostgreSQL type, as in sqlalchemy.dialects.postgresql: HSTORE's functions, and the arithmetic of ranges
--- under its names. Operators that several types share (contains, overlaps, has_key …) are in the C core.
local core = require "argent.core"

local func = core.func
local types = core.postgresql_types

local M = {}

---@class argent.postgresql.HstoreMethods
local hstore = {}

local text_array

--- ARRAY(TEXT), made when it is needed.
local function texts()
  text_array = text_array or core.ARRAY(core.Text)
  return text_array
end

--- Keys as hstore's functions take them: an expression, a list (an array of text), or a value.
local function keys_of(v, table_is_hstore)
  if type(v) ~= "table" then return v end
  if table_is_hstore and v[1] == nil then return core.literal(v, types.HSTORE) end
  return core.literal(v, texts())
end

--- Has the key a value that is not NULL?
---@param key any
function hstore:defined(key) return func.defined(self, key, {type = core.Boolean}) end
--- Without a key, without a list of keys, or without the pairs of a table.
---@param key any
function hstore:delete(key) return func.delete(self, keys_of(key, true), {type = types.HSTORE}) end
--- Only the keys of a list or an array expression.
---@param keys any
function hstore:slice(keys) return func.slice(self, keys_of(keys), {type = types.HSTORE}) end
--- The keys as an array.
function hstore:keys() return func.akeys(self, {type = texts()}) end
--- The values as an array.
function hstore:vals() return func.avals(self, {type = texts()}) end
--- Keys and values by turns as an array.
function hstore:array() return func.hstore_to_array(self, {type = texts()}) end
--- An array of pairs.
function hstore:matrix() return func.hstore_to_matrix(self, {type = core.ARRAY(core.Text, {dimensions = 2})}) end

M.HSTORE = hstore

---@class argent.postgresql.RangeMethods
local range = {}

--- The range that covers both; the database refuses a gap between them.
---@param other any
function range:union(other) return self + other end
--- This range without the other.
---@param other any
function range:difference(other) return self - other end
--- What both have in common.
---@param other any
function range:intersection(other) return self * other end

for name in pairs(types) do
  if name:find("RANGE$") then M[name] = range end
end

return M
