--- Tables of a database in the order of their foreign keys. Constraints are told apart, so that only those of a cycle are left over.
local core = require "argent.core"

local M = {}

local function key_of(schema, name) return (schema or "") .. "\0" .. name end

--- Nodes {key, schema, name, links = {{to, fk}, …}} of all schemas, by name.
local function read(insp, schemas, options)
  local nodes, list = {}, {}
  for _, schema in ipairs(schemas) do
    if schema == core.null then schema = nil end
    local o = {}
    for k, v in pairs(options or {}) do o[k] = v end
    o.schema = schema
    local names = {}
    local keys = insp:get_multi_foreign_keys(o)
    for name in pairs(keys) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
      local node = {schema = schema, name = name, keys = keys[name], links = {}}
      nodes[key_of(schema, name)] = node
      list[#list + 1] = node
    end
  end
  for _, node in ipairs(list) do
    for _, fk in ipairs(node.keys) do
      local to = nodes[key_of(fk.referred_schema, fk.referred_table)]
      node.links[#node.links + 1] = {to = to, name = fk.name, own = to == node}
    end
  end
  return list
end

--- Tarjan's strongly connected components, without recursion: each node gets the number of its component.
local function components(list)
  local index, stack = 0, {}
  local function enter(node, path)
    index = index + 1
    node.index, node.low, node.on, node.next = index, index, true, 1
    stack[#stack + 1], path[#path + 1] = node, node
  end
  local function leave(node, path)
    path[#path] = nil
    local above = path[#path]
    if above then above.low = math.min(above.low, node.low) end
    if node.low ~= node.index then return end
    repeat
      local member = table.remove(stack)
      member.on, member.component = false, node.index
    until member == node
  end
  for _, first in ipairs(list) do
    local path = {}
    if not first.index then enter(first, path) end
    while #path > 0 do
      local node = path[#path]
      local link = node.links[node.next]
      node.next = node.next + 1
      if not link then leave(node, path)
      elseif link.to and not link.to.index then enter(link.to, path)
      elseif link.to and link.to.on then node.low = math.min(node.low, link.to.index) end
    end
  end
end

--- Does the foreign key close a cycle over several tables?
local function cyclic(node, link)
  return link.to and not link.own and link.to.component == node.component
end

--- SQLAlchemy's order: those that refer to nothing that is left, by name, then those that refer to these, and so on.
local function in_levels(list)
  local waiting, referrers, level, out = {}, {}, {}, {}
  for place, node in ipairs(list) do
    node.place, waiting[node], referrers[node] = place, 0, {}
  end
  for _, node in ipairs(list) do
    for _, link in ipairs(node.links) do
      if link.to and not link.own and not cyclic(node, link) then
        waiting[node] = waiting[node] + 1
        table.insert(referrers[link.to], node)
      end
    end
    if waiting[node] == 0 then level[#level + 1] = node end
  end
  while level[1] do
    local following = {}
    table.move(level, 1, #level, #out + 1, out)
    for _, node in ipairs(level) do
      for _, referrer in ipairs(referrers[node]) do
        waiting[referrer] = waiting[referrer] - 1
        if waiting[referrer] == 0 then following[#following + 1] = referrer end
      end
    end
    table.sort(following, function(a, b) return a.place < b.place end)
    level = following
  end
  return out
end

--- Inspector:sort_tables_on_foreign_key_dependency
---@param insp argent.Inspector
---@param schemas any[]
---@param options? table
---@return table[]
function M.dependency(insp, schemas, options)
  local out, left = {}, {}
  local nodes = read(insp, schemas, options)
  components(nodes)
  for _, node in ipairs(in_levels(nodes)) do
    local own = {}
    local id = {node.schema or core.null, node.name}
    for _, link in ipairs(node.links) do
      local list = cyclic(node, link) and left or own
      list[#list + 1] = {id, link.name or core.null}
    end
    out[#out + 1] = {id, own}
  end
  out[#out + 1] = {core.null, left}
  return out
end

--- Inspector:get_sorted_table_and_fkc_names
---@param insp argent.Inspector
---@param options? argent.InspectorOptions
---@return table[]
function M.names(insp, options)
  local out = {}
  for i, item in ipairs(M.dependency(insp, {options and options.schema or core.null})) do
    local keys = {}
    for k, pair in ipairs(item[2]) do keys[k] = {pair[1][2], pair[2]} end
    out[i] = {item[1] == core.null and core.null or item[1][2], keys}
  end
  return out
end

return M
