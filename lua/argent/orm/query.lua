--- Statements with classes: what a SELECT of classes reads, how eager loading changes it, and how its rows become objects
--- (core.orm_plan, orm_load). A statement of plain classes goes to the database as it is.
local core = require "argent.core"
local check = require "argent.check"
local class_of = require "argent.orm.class"
local configure = require "argent.orm.configure"
local options_of = require "argent.orm.options"
local polymorphic = require "argent.orm.polymorphic"

local M = {}

local ag -- the public table (late: it requires us)
local function argent()
  ag = ag or require "argent"
  return ag
end

local function part(class) return core.orm_class_part(class, "info") end

--- The class of a class or an alias.
local function real_class(entity)
  if core.kind_of(entity) == "class alias" then return (core.orm_alias_info(entity)) end
  return entity
end
M.real_class = real_class

--- Facts of a class that do not change once it is configured: slots, keys, relationships by name.
local function shape(class)
  local info = part(class)
  if info.shape then return info.shape end
  configure.class(class)
  local s = core.orm_class_facts(class)
  s.slots, s.relations, s.eager = core.orm_slots(class), {}, false
  local at = class
  while at do
    for _, entry in ipairs(part(at).relationships) do
      if not s.relations[entry.key] then
        s.relations[entry.key] = class_of.relation(class, entry.key)
        s.relations[#s.relations + 1] = entry.key
        local lazy = entry.spec.lazy
        s.eager = s.eager or lazy == "joined" or lazy == "selectin" or lazy == "immediate" or lazy == "subquery"
      end
    end
    at = part(at).parent
  end
  table.sort(s.relations)
  s.plain = not s.eager and s.tables == 1 and not s.has_subclasses and not s.single and #s.slots == s.ncolumns
  for i, slot in ipairs(s.slots) do s.plain = s.plain and not slot.deferred and slot.index == i end
  info.shape = s
  return s
end
M.shape = shape

-- ── which columns ───────────────────────────────────────────────────────────────────────────────────────────────────────

--- The slot of an entity that a column option (name or expression) means, nil when it is another entity's.
local function slot_named(entity, class, name)
  if type(name) == "string" then
    for _, slot in ipairs(shape(class).slots) do
      if slot.key == name then return slot.key end
    end
    return nil
  end
  for _, slot in ipairs(shape(class).slots) do
    local expr = entity[slot.key]
    if expr == name or core.orm_same_column(expr, name) then return slot.key end
    if entity ~= class and core.orm_same_column(class[slot.key], name) then return slot.key end
  end
end

--- Do the column steps of an option mean this entity?
local function means(entity, class)
  return function(option)
    for _, step in ipairs(option.steps) do
      if step.strategy then return true end
      for _, name in ipairs(step.columns or {}) do
        if name ~= "*" and not slot_named(entity, class, name) then return false end
      end
    end
    return true
  end
end

--- Which slots are read: {key → true}, and {key → true} of those that must not be loaded later.
local function wanted_slots(entity, class, tree)
  local wanted, raise = {}, {}
  for _, slot in ipairs(shape(class).slots) do
    wanted[slot.key] = not slot.deferred
    if slot.deferred and slot.raise then raise[slot.key] = true end
  end
  for _, step in ipairs(tree and tree.columns or {}) do
    local named = {}
    for _, name in ipairs(step.columns or {}) do
      if name == "*" then
        for _, slot in ipairs(shape(class).slots) do named[slot.key] = true end
      else
        local key = slot_named(entity, class, name)
        if not key then
          core.exc_raise("ArgumentError", ("a loader option names %s, which is no attribute of class %s"):format(
            type(name) == "string" and ("'%s'"):format(name) or tostring(name), part(class).name))
        end
        named[key] = true
      end
    end
    for _, slot in ipairs(shape(class).slots) do
      if step.only then wanted[slot.key] = named[slot.key] or slot.pk end
      if step.defer and named[slot.key] then wanted[slot.key] = slot.pk end
      if step.undefer and named[slot.key] then wanted[slot.key] = true end
      if step.undefer_group and slot.group > 0 and part(class).registry.groups[step.undefer_group] == slot.group then
        wanted[slot.key] = true
      end
      if step.raise and not wanted[slot.key] then raise[slot.key] = true end
    end
  end
  return wanted, next(raise) and raise or nil
end

-- ── building ────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- Under construction: exprs (columns clause), items (the load plan), joins and order (functions and expressions of joined
--- loading), post (what is loaded when the rows are there), criteria.
local function new_build(list)
  return {exprs = {}, items = {}, joins = {}, order = {}, post = {}, options = list, criteria = {}}
end

local function add_expr(build, expr)
  build.exprs[#build.exprs + 1] = expr
  return #build.exprs
end

local add_relations

--- The discriminator values of a class and its subclasses, for single-table inheritance.
local function identities(class)
  local list = {}
  for _, other in ipairs(part(class).registry.list) do
    if core.orm_isa(other, class) then
      local identity = core.orm_class_facts(other).identity
      if identity ~= nil then list[#list + 1] = identity end
    end
  end
  return list
end

--- Criteria that a class brings along: single-table inheritance, with_loader_criteria.
---@param entity any
---@param list any[]
function M.class_criteria(entity, list)
  local class = real_class(entity)
  local s = shape(class)
  local out = {}
  if s.single and s.discriminator then out[#out + 1] = entity[s.discriminator]:in_(identities(class)) end
  for _, option in ipairs(list or {}) do
    local c = option.criteria
    if c and core.orm_isa(class, c.class) then
      local criterion = c.criterion
      if type(criterion) == "function" then criterion = criterion(entity)
      elseif entity ~= class then criterion = core.orm_adapt(criterion, require("argent.orm.alias").pairs(entity)) end
      out[#out + 1] = criterion
    end
  end
  return out
end

--- Subclasses whose rows may come: variants of the plan's item. included: those whose own columns are read as well, with the entity that
--- has them.
local function subclass_variants(build, class, columns, included)
  local s = shape(class)
  if not s.discriminator or not s.has_subclasses then return nil end
  local list, read = {}, {}
  for _, other in ipairs(part(class).registry.list) do
    if other ~= class and core.orm_isa(other, class) then
      configure.class(other)
      local own = columns
      local above = read[part(other).parent]
      if above or included[other] then
        own = table.move(above or columns, 1, #(above or columns), 1, {})
        for i, slot in ipairs(shape(other).slots) do
          if own[i] == nil then own[i] = included[other] and not slot.deferred and add_expr(build, included[other][slot.key]) or 0 end
        end
        read[other] = own
      end
      list[#list + 1] = {class = other, columns = own}
    end
  end
  return list
end

--- {subclass → entity that has its columns}, of a with_polymorphic alias or of what the mapper says.
local function included_classes(entity, class)
  local out = {}
  if entity ~= class then
    local _, _, info = core.orm_alias_info(entity)
    for _, one in ipairs(info.classes or {}) do out[one] = info.poly[part(one).name] end
  else
    for _, one in ipairs(polymorphic.inline(class) or {}) do out[one] = one end
  end
  return out
end

--- with_expression options: {key → expression}.
local function given_expressions(entity, class, tree)
  local out = {}
  for _, step in ipairs(tree and tree.columns or {}) do
    if step.expression then
      local key = slot_named(entity, class, step.expression[1])
      if not key or part(class).expressions[key] == nil then
        core.exc_raise("ArgumentError", ("with_expression: class %s has no such query_expression"):format(part(class).name))
      end
      out[key] = step.expression[2]:label(key)
    end
  end
  return out
end

--- Add an entity's columns and its plan item; returns the item's number.
local function add_entity(build, entity, tree, into, relation, path)
  local class = real_class(entity)
  local s = shape(class)
  local wanted, raise = wanted_slots(entity, class, tree)
  local columns, given = {}, given_expressions(entity, class, tree)
  for i, slot in ipairs(s.slots) do
    local read = wanted[slot.key] or slot.key == s.discriminator or given[slot.key]
    columns[i] = read and add_expr(build, given[slot.key] or entity[slot.key]) or 0
  end
  local item = {class = class, columns = columns, into = into, relation = relation, collect = raise ~= nil}
  for i, slot in ipairs(s.slots) do
    if slot.key == s.discriminator then item.discriminator = columns[i] end
  end
  local included = s.has_subclasses and included_classes(entity, class) or {}
  item.subclasses = subclass_variants(build, class, columns, included)
  local later = s.has_subclasses and table.move(tree and tree.poly or {}, 1, #(tree and tree.poly or {}), 1, polymorphic.selectin(class)) or {}
  if later[1] then
    item.collect = true
    build.post[#build.post + 1] = {item = #build.items + 1, poly = later, base = class}
  end
  build.items[#build.items + 1] = item
  local number = #build.items
  if raise then build.post[#build.post + 1] = {item = number, raise_columns = raise} end
  if build.waiting then -- the statement's own entities: joined ones come behind all of them
    build.waiting[#build.waiting + 1] = {entity, class, tree, number, path or {}}
  else
    add_relations(build, entity, class, tree, number, path or {})
  end
  return number
end

-- ── joined loading ──────────────────────────────────────────────────────────────────────────────────────────────────────

--- The parent as the join sees it: with a LIMIT the rows come from a subquery that is made later (build.parents).
local function parent_entity(build, number, entity)
  return build.parents and build.parents[number] or entity
end

local function join_criteria(build, on, target)
  for _, criterion in ipairs(M.class_criteria(target, build.options)) do on = on & criterion end
  return on
end

local function add_joined(build, entity, f, node, number, path)
  local comparators = require "argent.orm.comparators"
  local target = node and node.facts and node.facts.of_type or argent().aliased(f.target)
  local inner = f.made.innerjoin
  if node and node.options and node.options.innerjoin ~= nil then inner = node.options.innerjoin end
  local how = {isouter = not inner or build.outer_depth == true}
  local criteria = node and node.facts and node.facts.criteria
  build.joins[#build.joins + 1] = function(stmt)
    local parent = parent_entity(build, number, entity)
    if f.spec.secondary then
      local secondary = f.spec.secondary:alias()
      local first, second = comparators.conditions(f, parent, target, secondary)
      if criteria then second = second & criteria end
      return stmt:join_from(parent, secondary, first, how):join_from(secondary, target, join_criteria(build, second, target), how)
    end
    local on = comparators.conditions(f, parent, target)
    if criteria then on = on & core.orm_adapt(criteria, comparators.adaptation(f.target, target)) end
    return stmt:join_from(parent, target, join_criteria(build, on, target), how)
  end
  if f.made.uselist then build.has_collection = true end
  for _, expr in ipairs(core.orm_order_by(f.class, f.key)) do
    build.order[#build.order + 1] = core.orm_adapt(expr, comparators.adaptation(f.target, target))
  end
  add_entity(build, target, node, number, f.key, path)
end

local function add_contained(build, f, node, number, path)
  local target = node.options and node.options.alias or node.facts and node.facts.of_type or f.target
  add_entity(build, target, node, number, f.key, path)
  if f.made.uselist then build.has_collection = true end
end

--- A self-referential eager relationship ends after join_depth rounds (one without it).
local function too_deep(f, path)
  local id = part(f.class).name .. "." .. f.key
  local seen = 0
  for _, step in ipairs(path) do
    if step == id then seen = seen + 1 end
  end
  return seen >= (f.spec.join_depth or 1), id
end

function add_relations(build, entity, class, tree, number, path)
  local s = shape(class)
  if #s.relations == 0 then return end
  local item = build.items[number]
  for _, key in ipairs(s.relations) do
    local f = s.relations[key]
    local node = tree and (tree.relations[key] or tree.relations["*"]) or nil
    local strategy = node and node.strategy or f.made.lazy
    local explicit = node and node.strategy
    if strategy == "joined" or strategy == "selectin" or strategy == "immediate" or strategy == "subquery" then
      local deep, id = too_deep(f, path)
      if explicit or not deep then
        local longer = table.move(path, 1, #path, 1, {})
        longer[#longer + 1] = id
        if strategy == "joined" then
          add_joined(build, entity, f, node, number, longer)
        else
          item.collect = true
          build.post[#build.post + 1] = {item = number, facts = f, node = node, path = longer}
        end
      end
    elseif strategy == "contains" then
      add_contained(build, f, node, number, path)
    elseif explicit and (strategy == "raise" or strategy == "noload") then
      item.collect = true
      build.post[#build.post + 1] = {item = number, key = key, strategy = strategy == "raise" and node.options
        and node.options.sql_only and "raise_on_sql" or strategy}
    elseif node and (next(node.relations) or node.poly) and explicit ~= "select" then
      item.collect = true
      build.post[#build.post + 1] = {item = number, key = key, nested = node}
    end
  end
end

-- ── LIMIT ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- With a LIMIT the statement becomes a subquery, so that joined rows do not count. Returns the outer SELECT's columns for the inner
--- ones and its ORDER BY.
local function wrap(build, stmt, facts, inner_count)
  local inner = {}
  for i = 1, inner_count do inner[i] = build.exprs[i]:label(("c%d"):format(i)) end
  local order = {}
  for i, expr in ipairs(facts.order_by) do
    local bare = core.orm_unwrap_order(expr)
    inner[#inner + 1] = bare:label(("o%d"):format(i))
    order[i] = {expr = expr, bare = bare, at = #inner}
  end
  local sub = M.with_columns(stmt, inner):subquery()
  for i = 1, inner_count do build.exprs[i] = sub.c[("c%d"):format(i)] end
  local order_by = {}
  for i, o in ipairs(order) do order_by[i] = core.orm_adapt(o.expr, {{o.bare, sub.c[("o%d"):format(i)]}}) end
  build.parents = {}
  for number, item in ipairs(build.items) do
    if not item.into and item.class then
      local columns = {}
      for i, slot in ipairs(shape(item.class).slots) do
        if item.columns[i] > 0 then columns[slot.key] = build.exprs[item.columns[i]] end
      end
      build.parents[number] = require("argent.orm.alias").with_columns(item.class, sub, columns)
    end
  end
  return sub, order_by
end

--- The statement with another columns clause. FROM is kept by naming classes that map more than one table.
---@param stmt argent.Statement
---@param exprs any[]
function M.with_columns(stmt, exprs)
  return stmt:with_only_columns(exprs)
end

-- ── a whole statement ───────────────────────────────────────────────────────────────────────────────────────────────────

local function needs_from(entity)
  return core.kind_of(entity) == "Mapper" and shape(entity).tables > 1
end

local function entity_names(names)
  local out = {}
  for _, name in ipairs(names) do
    if type(name) == "string" then out[#out + 1] = name end
  end
  return out
end

--- The statement's own entities and columns, then what they load along. Returns how many columns are the statement's own.
local function add_items(build, items, list, names)
  local used = {}
  build.waiting = {}
  for i, item in ipairs(items) do
    if build.entities and build.entities[i] then
      local class = real_class(item)
      local tree = build.tree or options_of.tree(list, item, class, means(item, class), used)
      add_entity(build, item, tree, nil, nil, build.path)
    else
      build.items[#build.items + 1] = {column = add_expr(build, item)}
      names[i] = {column = #build.exprs}
    end
  end
  for _, option in ipairs(list) do
    if not used[option] and not option.criteria and not build.tree then
      core.exc_raise("ArgumentError", ("the loader option for %s concerns no class of this statement: %s"):format(options_of.describe(option),
        table.concat(entity_names(names), ", ")))
    end
  end
  local count = #build.exprs
  local waiting = build.waiting
  build.waiting = nil
  for _, w in ipairs(waiting) do add_relations(build, table.unpack(w, 1, 5)) end
  return count
end

--- Everything about executing a SELECT with classes: {stmt, plan, names, visible, post, unique}.
local function compile(stmt, list, tree, path)
  local items = core.orm_select_items(stmt)
  local build = new_build(list)
  build.tree, build.path = tree, path
  local names, from = {}, {}
  for i, item in ipairs(items) do
    local kind = core.kind_of(item)
    if kind == "Mapper" or kind == "class alias" then
      local class = real_class(item)
      configure.class(class)
      names[i] = part(class).name
      build.visible = (build.visible or 0) + 1
      build.entities = build.entities or {}
      build.entities[i] = item
      local inline = item == class and polymorphic.inline(class)
      if inline then from[#from + 1] = polymorphic.join(class, inline)
      elseif needs_from(item) then from[#from + 1] = item end
      if kind == "class alias" then
        local _, element, more = core.orm_alias_info(item)
        if more.classes then from[#from + 1] = element end
      end
      for _, criterion in ipairs(M.class_criteria(item, list)) do build.criteria[#build.criteria + 1] = criterion end
    else
      names[i] = false
      build.visible = (build.visible or 0) + 1
    end
  end
  local inner_count = add_items(build, items, list, names)
  if #build.criteria > 0 then stmt = stmt:where(table.unpack(build.criteria)) end
  for _, entity in ipairs(from) do stmt = stmt:select_from(entity) end
  local facts = core.orm_select_facts(stmt)
  if #build.joins > 0 and (facts.distinct or facts.grouped or (facts.limited and build.has_collection)) then
    local _, order_by = wrap(build, stmt, facts, inner_count)
    stmt = argent().select(build.exprs)
    for _, join in ipairs(build.joins) do stmt = join(stmt) end
    for _, o in ipairs(order_by) do stmt = stmt:order_by(o) end
  else
    stmt = M.with_columns(stmt, build.exprs)
    for _, join in ipairs(build.joins) do stmt = join(stmt) end
  end
  for _, expr in ipairs(build.order) do stmt = stmt:order_by(expr) end
  return {stmt = stmt, plan = core.orm_plan(build.items, #build.exprs), names = names, visible = build.visible, post = build.post,
    unique = build.has_collection, options = list}
end

--- The same for one class that maps exactly its table: nothing is changed, the plan is kept.
local function plain(class)
  local info = part(class)
  if not info.plain_query then
    local columns = {}
    for i in ipairs(shape(class).slots) do columns[i] = i end
    info.plain_query = {plan = core.orm_plan({{class = class, columns = columns}}, #columns), names = {info.name}, visible = 1, post = {}}
  end
  return info.plain_query
end

--- Forget what was kept about the class: listeners came or went.
---@param class argent.orm.Class
function M.changed(class)
  for _, other in ipairs(part(class).registry.list) do
    if other and core.orm_isa(other, class) then part(other).plain_query = nil end
  end
  M.cache = setmetatable({}, {__mode = "k"})
end

M.cache = setmetatable({}, {__mode = "k"}) -- statement → what compile gave

--- How a statement with classes is executed; the statement that goes to the database, and its query.
---@param stmt argent.Statement
---@param extra table?
function M.prepare(stmt, extra)
  local list = core.orm_options(stmt)
  if extra then list = table.move(extra, 1, #extra, #(list or {}) + 1, table.move(list or {}, 1, #(list or {}), 1, {})) end
  if not list then
    local class = core.orm_select_class(stmt)
    if class and shape(class).plain then return stmt, plain(class) end
  end
  local query = not extra and M.cache[stmt]
  if not query then
    query = compile(stmt, list or {})
    if not extra then M.cache[stmt] = query end
  end
  return query.stmt, query
end

--- The same for a SELECT that a loader made: options of the target come as a node of a tree. criteria: with_loader_criteria options.
---@param stmt argent.Statement
---@param target any
---@param node table
---@param criteria table?
---@param path string
function M.prepare_node(stmt, target, node, criteria, path)
  local class = core.orm_select_class(stmt)
  local bare = (not node or (next(node.relations) == nil and #node.columns == 0 and not node.poly)) and not (criteria and criteria[1])
  if bare and class == target and shape(class).plain then return stmt, plain(class) end
  if bare and not path and M.cache[stmt] then return M.cache[stmt].stmt, M.cache[stmt] end
  local query = compile(stmt, criteria or {}, node and {relations = node.relations, columns = node.columns, poly = node.poly} or nil, path)
  if bare and not path then M.cache[stmt] = query end
  return query.stmt, query
end

--- The load plan of a RETURNING list: a class stands for the columns of its table.
---@param statement argent.Statement
function M.returning(statement)
  local items, names, n = {}, {}, 0
  for i, item in ipairs((core.orm_select_items(statement))) do
    if core.kind_of(item) == "Mapper" then
      local columns, s = {}, shape(item)
      for k, slot in ipairs(s.slots) do columns[k] = slot.index and n + slot.index or 0 end
      n = n + s.ncolumns
      items[i], names[i] = {class = item, columns = columns}, part(item).name
    else
      n = n + 1
      items[i], names[i] = {column = n}, {column = n}
    end
  end
  return {plan = core.orm_plan(items, n), names = names, visible = #items, post = {}}
end

--- stmt:options(…)
local function with_options(self, ...)
  local list = table.move(core.orm_options(self) or {}, 1, #(core.orm_options(self) or {}), 1, {})
  local args = table.pack(...)
  for i = 1, args.n do
    if not options_of.is_option(args[i]) then check.argument_error("options", i, "expected a loader option, got " .. core.describe(args[i])) end
    list[#list + 1] = args[i]
  end
  return core.orm_with_options(self, list)
end
core.methods("Select").options = with_options
core.methods("CompoundSelect").options = with_options

return M
