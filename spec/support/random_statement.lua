--- Random statements, made to be alike: few shapes, many values, names and FROMs, so that a statement cache hits often and near misses
--- (the same text with another column behind it, a shared alias against two) are frequent.
local ag = require "argent"
local R = require "spec.support.random_expression"

local M = {}

--- A function that gives the next statement.
---@param tbl any the table of random_expression
---@param seed integer
function M.new(tbl, seed)
  local aliases = {tbl:alias("a"), tbl:alias("b"), tbl:alias(), tbl:alias()}
  local inner = {tbl:alias("c"), tbl:alias()}
  local G = R.new(tbl, seed)
  local random, choice = G.random, G.choice
  local numbers = {"id", "i", "j", "k"}
  R.current = tbl

  local function column(from) return from.c[choice(numbers)] end

  local conditions = {
    function(f) return column(f):eq(random(9)) end,
    function(f) return column(f):gt(column(f)) end,
    function(f) return column(f):in_(({{}, {1}, {1, 2}, {3, 4, 5}})[random(4)]) end,
    function(f) return column(f):is_(nil) end,
    function(f) return column(f):eq(choice{1, ag.null}) end,
    function(f) return column(f):between(random(3), random(300)) | ~column(f):lt(random(5)) end,
    function(f) return f.c.s:like(choice{"a%", "%b%"}) end,
    function(f) return f.c.s:contains(choice{"a", "b"}, {autoescape = random(2) == 1}) end,
    function(f) return column(f):eq(ag.bindparam("n", {value = choice{7, 12}})) end,
    function(f) return column(f):eq(ag.bindparam("u", {value = random(20), unique = true})) end,
    function(f) return column(f):in_(ag.select(column(choice(inner)))) end,
    function(f)
      local other = choice(inner)
      return ag.exists(ag.select(other.c.id):where(other.c.id:eq(f.c.i)))
    end,
    function(f) return column(f):op(choice{"&", "|"})(random(3)):gt(0) end,
    function(f) return ag.tuple_(f.c.id, f.c.i):in_(({{{1, 7}}, {{1, 7}, {2, 5}}})[random(2)]) end,
  }

  local items = {
    function(f) return column(f) end,
    function(f, suffix) return column(f):label(choice{"x", "y"} .. suffix) end,
    function(f) return column(f) + random(5) end,
    function(f) return ag.func.coalesce(column(f), random(9)) end,
    function(f) return ag.func[choice{"max", "min"}](column(f)):over{partition_by = f.c.p, order_by = f.c.id} end,
    function(f) return ag.case({column(f):gt(random(9)), choice{"lo", "hi"}}, {else_ = f.c.s}) end,
    function(f) return column(f):cast(choice{ag.Text, ag.String(20), ag.Integer}) end,
    function(_, suffix) return ag.literal(random(5)):label(choice{"l", "m"} .. suffix) end,
    function(_, suffix) return ag.select(ag.func.count()):select_from(choice(inner)):scalar_subquery():label("n" .. suffix) end,
    function(_, suffix) return G.any(choice{"text", "bool"}, 1):label("e" .. suffix) end,
  }

  -- labels of a subquery (`exported`) must differ
  local function select_of(from, more, exported)
    local columns = {from.c.id}
    for i = 1, random(3) - 1 do columns[i + 1] = choice(items)(choice{from, from, more or from}, exported and i or "") end
    local stmt = ag.select(columns)
    for _ = 1, random(3) - 1 do stmt = stmt:where(choice(conditions)(choice{from, more or from})) end
    return stmt
  end

  local function finish(stmt, key)
    if random(3) == 1 then stmt = stmt:distinct() end
    stmt = stmt:order_by(key)
    if random(4) == 1 then stmt = stmt:limit(random(3)) end
    if random(6) == 1 then stmt = stmt:offset(random(2) - 1) end
    return stmt
  end

  local shapes = {
    function() return finish(select_of(tbl), tbl.c.id) end,
    function()
      local a = choice(aliases)
      return finish(select_of(a), a.c.id)
    end,
    function()
      local a, b = choice(aliases), choice(aliases)
      if a == b then return finish(select_of(a), a.c.id) end
      local stmt = select_of(a, b)
      if random(2) == 1 then stmt = stmt:join_from(a, b, a.c.id:eq(b.c[choice(numbers)])) end
      return stmt:where(b.c.id:eq(random(4))):order_by(a.c.id, b.c.id)
    end,
    function()
      local sub = select_of(choice(aliases), nil, true):subquery(choice{"s", "u"})
      return ag.select(sub.c.id, sub.c[1]):order_by(sub.c.id):limit(random(4))
    end,
    function()
      local cte = select_of(choice(aliases), nil, true):cte(choice{"s", "u"})
      local again = random(2) == 1 and cte or cte:alias()
      return ag.select(cte.c.id, again.c.id):where(cte.c.id:eq(again.c.id)):order_by(cte.c.id)
    end,
    function()
      local a, b = choice(aliases), choice(aliases)
      local left, right = ag.select(column(a):label("x")), ag.select(column(b):label(choice{"x", "y"}))
      return choice{left.union, left.union_all, left.intersect, left.except_}(left, right):order_by("x")
    end,
  }

  return function() return choice(shapes)() end
end

local function plain(result)
  local out = {}
  for i, row in ipairs(result:all()) do
    local values = {}
    for c = 1, #row do values[c] = tostring(row[c]) end
    out[i] = table.concat(values, "\31")
  end
  return table.concat(out, "\n"), table.concat(result:keys(), ",")
end

--- Execute `count` random statements with and without a cache and compare text, values, keys and rows. Returns the number that
--- differ and the cache's hits. connect(options) gives an engine with the table and its rows.
function M.check(connect, tbl, seed, count, report)
  local sent = {}
  local function listen(engine, name)
    ag.event.listen(engine, "before_cursor_execute", function(_, _, text, parameters)
      local values = {}
      for i, v in ipairs(parameters or {}) do values[i] = tostring(v) end
      sent[name] = text .. "\n" .. table.concat(values, "\31")
    end)
  end
  local cached, uncached = connect{}, connect{query_cache_size = 0}
  listen(cached, "cached")
  listen(uncached, "uncached")
  local a <close> = cached:connect()
  local b <close> = uncached:connect()
  local next_statement, wrong = M.new(tbl, seed), 0
  for i = 1, count do
    local stmt = next_statement()
    local ok1, rows1, keys1 = pcall(function() return plain(a:execute(stmt)) end)
    local ok2, rows2, keys2 = pcall(function() return plain(b:execute(stmt)) end)
    local same = ok1 == ok2 and sent.cached == sent.uncached and (not ok1 or rows1 == rows2 and keys1 == keys2)
    if not same or not ok1 then
      wrong = wrong + 1
      report(i, stmt, sent, ok1, rows1, ok2, rows2)
      a:rollback()
      b:rollback()
    end
  end
  return wrong, cached.compiled_cache.hits
end

return M
