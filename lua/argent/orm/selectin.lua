--- Loading a relationship of many objects with one statement. Their keys go in one array parameter (core.orm_in_keys), so that the text
--- is the same for any number of objects.
local core = require "argent.core"
local load = require "argent.orm.load"
local query = require "argent.orm.query"

local M = {}

local ag
local function argent()
  ag = ag or require "argent"
  return ag
end

--- Options for the objects of a relationship: the node's own, and criteria of the statement.
local function execute_options(node, options, path)
  local list = {}
  for _, option in ipairs(options or {}) do
    if option.criteria then list[#list + 1] = option end
  end
  return {node = node, criteria = list, path = path, chunk = node and node.options and node.options.chunksize or math.maxinteger}
end

--- SELECT objects with a node's options; returns arrays of the values of each item.
local function run(session, stmt, target, o)
  local sent, q = query.prepare_node(stmt, target, o.node, o.criteria, o.path)
  return query.load_items(session, q, session:connection():execute(sent))
end

--- The keys in pieces of the option `chunksize`; all at once without it.
local function chunks(keys, size)
  local at = 1
  return function()
    if at > #keys then return nil end
    if at == 1 and #keys <= size then
      at = #keys + 1
      return keys
    end
    local chunk = table.move(keys, at, math.min(at + size - 1, #keys), 1, {})
    at = at + size
    return chunk
  end
end

local function with_criteria(stmt, f, node)
  local criteria = node and node.facts and node.facts.criteria or f.criteria
  if criteria then stmt = stmt:where(criteria) end
  return stmt
end

--- Are there options below the relationship?
local function node_has_more(node) return node ~= nil and (next(node.relations) ~= nil or #node.columns > 0 or node.poly ~= nil) end

-- ── one key column ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- Many-to-one onto one key column: those that the session has are taken from it.
local function get_targets(session, objects, f, node, o, pair)
  local target = f.target
  local keys = core.orm_keys(objects, f.key, pair.dest)
  local have, missing = {}, {}
  for _, key in ipairs(keys) do
    local object = f.made.use_get and not node_has_more(node) and session:_identity(target, key) or nil
    if object ~= nil then have[#have + 1] = object else missing[#missing + 1] = key end
  end
  for chunk in chunks(missing, o.chunk) do
    local stmt = with_criteria(argent().select(target):where(core.orm_in_keys(target[pair.source], chunk)), f, node)
    for _, object in ipairs(run(session, stmt, target, o)) do have[#have + 1] = object end
  end
  core.orm_distribute(objects, f.key, pair.dest, have, pair.source)
end

local function children(session, objects, f, node, o, pair)
  local target = f.target
  local keys = core.orm_keys(objects, f.key, pair.source)
  local members = {}
  for chunk in chunks(keys, o.chunk) do
    local stmt = with_criteria(argent().select(target):where(core.orm_in_keys(target[pair.dest], chunk)), f, node)
    for _, object in ipairs(run(session, load.ordered(stmt, f), target, o)) do members[#members + 1] = object end
  end
  core.orm_distribute(objects, f.key, pair.source, members, pair.dest)
end

--- Through an association table: its key column is read along with each member.
local function secondary_members(session, objects, f, node, o, pair)
  local comparators = require "argent.orm.comparators"
  local target = f.target
  local secondary = f.spec.secondary:alias()
  local _, second = comparators.conditions(f, f.class, target, secondary)
  local keys = core.orm_keys(objects, f.key, pair.source)
  local members, owners = {}, {}
  for chunk in chunks(keys, o.chunk) do
    local stmt = argent().select(target, secondary.c[pair.column]):join_from(secondary, target, second)
      :where(core.orm_in_keys(secondary.c[pair.column], chunk))
    local items = run(session, load.ordered(with_criteria(stmt, f, node), f), target, o)
    for i = 1, #items, 2 do
      members[#members + 1] = items[i]
      owners[#owners + 1] = items[i + 1]
    end
  end
  core.orm_distribute(objects, f.key, pair.source, members, owners)
end

-- ── composite keys ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- The values of the attributes as a row and as one table key; nothing when one is NULL or not there.
local function row_of(object, names)
  local row, id = {}, {}
  for i, name in ipairs(names) do
    local value = core.orm_get(object, name)
    if value == nil then return nil end
    row[i], id[i] = value, ("%s:%s"):format(math.type(value) or type(value), tostring(value):gsub("[%z\\]", "\\%0"))
  end
  return row, table.concat(id, "\0")
end

--- Distinct key rows of those objects that lack the relationship, and {object → its key's id}.
local function key_rows(objects, key, names)
  local rows, seen, ids = {}, {}, {}
  for _, object in ipairs(objects) do
    if not core.orm_is_loaded(object, key) then
      local row, id = row_of(object, names)
      ids[object] = id or false
      if id and not seen[id] then
        seen[id] = true
        rows[#rows + 1] = row
      end
    end
  end
  return rows, ids
end

local function tuple_in(target, names, rows)
  local columns = {}
  for i, name in ipairs(names) do columns[i] = target[name] end
  return core.orm_in_keys(argent().tuple_(columns), rows)
end

--- As children() and get_targets(), for keys of several columns.
local function composite(session, objects, f, node, o, pairs_)
  local mine, theirs = {}, {}
  local to_one = f.made.direction == "MANYTOONE"
  for i, pair in ipairs(pairs_) do
    mine[i], theirs[i] = to_one and pair.dest or pair.source, to_one and pair.source or pair.dest
  end
  local rows, ids = key_rows(objects, f.key, mine)
  local groups = {}
  for chunk in chunks(rows, o.chunk) do
    local stmt = with_criteria(argent().select(f.target):where(tuple_in(f.target, theirs, chunk)), f, node)
    for _, member in ipairs(run(session, load.ordered(stmt, f), f.target, o)) do
      local _, id = row_of(member, theirs)
      groups[id] = groups[id] or {}
      table.insert(groups[id], member)
    end
  end
  for object, id in pairs(ids) do
    local members = id and groups[id] or {}
    if f.made.uselist then members = table.move(members, 1, #members, 1, {}) else members = members[1] end
    core.orm_set_loaded(object, f.key, members)
  end
end

-- ── which ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Load a relationship of many objects, those that lack it.
---@param session argent.Session
---@param objects argent.orm.Entity[]
---@param f argent.orm.RelationshipFacts
---@param node table
---@param options table?
---@param path string
function M.load(session, objects, f, node, options, path)
  local mine = core.orm_pairs(f.class, f.key)
  local o = execute_options(node, options, path)
  if f.spec.secondary and #mine == 1 then
    secondary_members(session, objects, f, node, o, mine[1])
  elseif not f.made.simple or f.spec.secondary then
    for _, object in ipairs(objects) do
      if not core.orm_is_loaded(object, f.key) then load.lazy(object, f.key, node) end
    end
  elseif #mine > 1 then
    composite(session, objects, f, node, o, mine)
  elseif f.made.direction == "MANYTOONE" then
    get_targets(session, objects, f, node, o, mine[1])
  else
    children(session, objects, f, node, o, mine[1])
  end
end

return M
