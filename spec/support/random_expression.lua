--- Random SQL expressions, each with a plain evaluator beside it: {sql = the argent expression, ev = function(row) → value or nil,
--- type = "int" | "float" | "text" | "bool"}. Only what both databases define alike is made: evaluators raise REJECT for rows where a
--- result would overflow 32 bits, divide by zero or the like, and such an expression is thrown away.
local ag = require "argent"

local M = {}

local REJECT = {}
local LIMIT = 2 ^ 31 - 1
local LETTERS = {"a", "b", "c", "ab", "%", "_", "x", "A", "é", "/"}

--- The table whose columns the expressions use, and its rows.
function M.table(metadata)
  return ag.Table("rx", metadata, {
    ag.Column("id", ag.Integer, {primary_key = true}),
    ag.Column("i", ag.Integer), ag.Column("j", ag.Integer), ag.Column("k", ag.Integer),
    ag.Column("f", ag.Double), ag.Column("g", ag.Double),
    ag.Column("s", ag.Text), ag.Column("t", ag.Text),
    ag.Column("p", ag.Boolean), ag.Column("q", ag.Boolean),
  })
end

M.rows = {
  {id = 1, i = 7, j = -3, k = 12, f = 1.5, g = -0.25, s = "abc", t = "a%b", p = true, q = false},
  {id = 2, i = -20, j = 5, f = 0.0, g = 1024.0, s = "", t = "xaby", p = false},
  {id = 3, i = 0, k = -1, f = -8.125, s = "a_c/", q = true},
  {id = 4, j = 255, k = 3, g = 3.0, t = "abcabc", p = true, q = true},
}

-- ── evaluation ───────────────────────────────────────────────────────────────────────────────────────────────────────

local function int(v)
  if v == nil then return nil end
  if v > LIMIT or v < -LIMIT then error(REJECT, 0) end
  return math.tointeger(v)
end

local function float(v)
  if v == nil then return nil end
  if v ~= v or v > 1e12 or v < -1e12 or (v ~= 0 and math.abs(v) < 1e-9) then error(REJECT, 0) end
  return v + 0.0
end

--- NULL in, NULL out.
local function strict(f)
  return function(a, b, c)
    return function(row)
      local x = a.ev(row)
      local y, z
      if b then y = b.ev(row) end
      if c then z = c.ev(row) end
      if x == nil or (b and y == nil) or (c and z == nil) then return nil end
      return f(x, y, z)
    end
  end
end

local function truncated(a, b)
  if b == 0 then error(REJECT, 0) end
  local q = math.abs(a) // math.abs(b)
  return (a < 0) ~= (b < 0) and -q or q
end

local function characters(s)
  local out = {}
  for _, code in utf8.codes(s) do out[#out + 1] = utf8.char(code) end
  return out
end

--- LIKE, case as it is; `escape` is one character or nil.
local function like(text, pattern, escape)
  local s, p = characters(text), characters(pattern)
  local function match(i, j)
    while j <= #p do
      local ch = p[j]
      if escape and ch == escape then
        if j == #p then error(REJECT, 0) end
        if s[i] ~= p[j + 1] then return false end
        i, j = i + 1, j + 2
      elseif ch == "%" then
        for k = i, #s + 1 do
          if match(k, j + 1) then return true end
        end
        return false
      elseif i > #s or (ch ~= "_" and s[i] ~= ch) then
        return false
      else
        i, j = i + 1, j + 1
      end
    end
    return i > #s
  end
  return match(1, 1)
end

local function compare(op)
  return strict(function(a, b)
    if op == "eq" then return a == b elseif op == "ne" then return a ~= b end
    if op == "lt" then return a < b elseif op == "le" then return a <= b end
    if op == "gt" then return a > b else return a >= b end
  end)
end

-- ── generation ───────────────────────────────────────────────────────────────────────────────────────────────────────

--- A generator; the same seed gives the same expressions.
---@param tbl any the table, or an alias of it
---@param seed integer
function M.new(tbl, seed)
  local columns, state = tbl.c, seed * 0x9E3779B97F4A7C15 | 1
  local G = {}

  -- xorshift: the same numbers on every build of Lua
  local function random(n)
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    return (state >> 11) % n + 1
  end
  for _ = 1, 8 do random(2) end
  local function choice(list) return list[random(#list)] end

  local names = {int = {"i", "j", "k"}, float = {"f", "g"}, text = {"s", "t"}, bool = {"p", "q"}}
  local sql_types = {int = ag.Integer, float = ag.Double, text = ag.Text, bool = ag.Boolean}
  local gen

  local function constant(kind)
    if kind == "int" then return random(41) - 21
    elseif kind == "float" then return (random(65) - 33) / 8
    elseif kind == "bool" then return random(2) == 1 end
    local out = {}
    for i = 1, random(4) - 1 do out[i] = choice(LETTERS) end
    return table.concat(out)
  end

  local function leaf(kind)
    if random(10) <= 6 then
      local name = choice(names[kind])
      return {type = kind, sql = columns[name], ev = function(row) return row[name] end, column = true}
    end
    if random(12) == 1 then
      return {type = kind, sql = ag.cast(ag.null, sql_types[kind]), ev = function() return nil end}
    end
    local v = constant(kind)
    if kind == "bool" then return {type = kind, sql = v and ag.true_() or ag.false_(), ev = function() return v end, constant = true} end
    return {type = kind, sql = ag.literal(v, sql_types[kind]), ev = function() return v end, value = v}
  end

  --- The right side of an operator: now and then the bare Lua value, as a user would write it.
  local function operand(e)
    if e.value ~= nil and random(2) == 1 then return e.value end
    return e.sql
  end

  local function node(kind, sql, ev) return {type = kind, sql = sql, ev = ev} end

  --- (SELECT column FROM the table WHERE id = n)
  local function subquery(kind)
    local name, other, id = choice(names[kind]), M.current:alias(), random(#M.rows)
    local sql = ag.select(other.c[name]):where(other.c.id:eq(id)):scalar_subquery()
    return node(kind, sql, function() return M.rows[id][name] end)
  end

  local function number_kind() return random(3) == 1 and "float" or "int" end

  local arithmetic = {
    function(a, b) return a.sql + operand(b), function(x, y) return x + y end end,
    function(a, b) return a.sql - operand(b), function(x, y) return x - y end end,
    function(a, b) return a.sql * operand(b), function(x, y) return x * y end end,
  }

  local function case_of(kind, depth)
    local cond, result, other = gen("bool", depth), gen(kind, depth), random(3) > 1 and gen(kind, depth)
    local cond2, result2 = gen("bool", depth), gen(kind, depth)
    local sql = other and ag.case({cond.sql, result.sql}, {cond2.sql, operand(result2)}, {else_ = other.sql}) or
      ag.case({cond.sql, result.sql}, {cond2.sql, operand(result2)})
    return node(kind, sql, function(row)
      local r1, r2, r3 = result.ev(row), result2.ev(row), nil
      if other then r3 = other.ev(row) end
      local c1, c2 = cond.ev(row), cond2.ev(row) -- all of it: PostgreSQL folds constants in branches that are never taken
      if c1 then return r1 elseif c2 then return r2 else return r3 end
    end)
  end

  local function coalesce_of(kind, depth)
    local a, b = gen(kind, depth), gen(kind, depth)
    if random(3) == 1 then
      return node(kind, ag.func.nullif(a.sql, operand(b), {type = sql_types[kind]}), function(row)
        local x, y = a.ev(row), b.ev(row)
        if x ~= nil and x == y then return nil end
        return x
      end)
    end
    return node(kind, ag.func.coalesce(a.sql, operand(b)), function(row)
      local x, y = a.ev(row), b.ev(row)
      if x == nil then return y end
      return x
    end)
  end

  local makers = {}

  makers.int = {
    function(depth)
      local a, b = gen("int", depth), gen("int", depth)
      local sql, f = choice(arithmetic)(a, b)
      return node("int", sql, strict(function(x, y) return int(f(x, y)) end)(a, b))
    end,
    function(depth)
      local a, b = gen("int", depth), gen("int", depth)
      if random(2) == 1 then return node("int", a.sql // operand(b), strict(truncated)(a, b)) end
      return node("int", a.sql % operand(b), strict(function(x, y)
        if y == 0 then error(REJECT, 0) end
        return math.fmod(x, y)
      end)(a, b))
    end,
    function(depth)
      local a, b = gen("int", depth), gen("int", depth)
      local name, f = table.unpack(choice{
        {"bitwise_and", function(x, y) return x & y end}, {"bitwise_or", function(x, y) return x | y end},
        {"bitwise_xor", function(x, y) return x ~ y end},
      })
      return node("int", a.sql[name](a.sql, operand(b)), strict(f)(a, b))
    end,
    function(depth)
      local a, n = gen("int", depth), random(6) - 1
      if random(2) == 1 then
        return node("int", a.sql:bitwise_lshift(n), strict(function(x) return int(x * (1 << n)) end)(a))
      end
      return node("int", a.sql:bitwise_rshift(n), strict(function(x) return x // (1 << n) end)(a))
    end,
    function(depth)
      local a = gen("int", depth)
      if random(2) == 1 then return node("int", -a.sql, strict(function(x) return -x end)(a)) end
      return node("int", a.sql:bitwise_not(), strict(function(x) return ~x end)(a))
    end,
    function(depth)
      local a = gen("text", depth)
      return node("int", ag.func.length(a.sql, {type = ag.Integer}), strict(function(x) return utf8.len(x) end)(a))
    end,
    function(depth)
      local a = gen("int", depth)
      return node("int", ag.func.abs(a.sql, {type = ag.Integer}), strict(function(x) return math.abs(x) end)(a))
    end,
    function(depth) return case_of("int", depth) end,
    function(depth) return coalesce_of("int", depth) end,
  }

  makers.float = {
    function(depth)
      local a, b = gen("float", depth), gen(number_kind(), depth)
      if random(2) == 1 then a, b = b, a end
      if a.type == "int" and b.type == "int" then a = gen("float", depth) end
      local sql, f = choice(arithmetic)(a, b)
      return node("float", sql, strict(function(x, y) return float(f(x, y)) end)(a, b))
    end,
    function(depth)
      local a, b = gen("float", depth), gen("float", depth)
      return node("float", a.sql / operand(b), strict(function(x, y)
        if y == 0 then error(REJECT, 0) end
        return float(x / y)
      end)(a, b))
    end,
    function(depth) -- true division of integers, whatever the database does by itself
      local a, b = gen("int", depth), gen("int", depth)
      return node("float", ag.cast(a.sql / operand(b), ag.Double), strict(function(x, y)
        if y == 0 then error(REJECT, 0) end
        return float(x / y)
      end)(a, b))
    end,
    function(depth)
      local a = gen("float", depth)
      return node("float", -a.sql, strict(function(x) return 0.0 - x end)(a))
    end,
    function(depth)
      local a = gen("int", depth)
      return node("float", a.sql:cast(ag.Double), strict(function(x) return x + 0.0 end)(a))
    end,
    function(depth) return case_of("float", depth) end,
    function(depth) return coalesce_of("float", depth) end,
  }

  local function lower(s) return (s:gsub("%u", string.lower)) end

  makers.text = {
    function(depth)
      local a, b = gen("text", depth), gen("text", depth)
      local sql
      if random(2) == 1 then sql = a.sql .. operand(b) else sql = a.sql + operand(b) end
      return node("text", sql, strict(function(x, y)
        if #x + #y > 200 then error(REJECT, 0) end
        return x .. y
      end)(a, b))
    end,
    function(depth)
      local a = gen("text", depth)
      return node("text", ag.func.lower(a.sql, {type = ag.Text}), strict(lower)(a)) -- é has no capital here
    end,
    function(depth)
      local a, from, len = gen("text", depth), random(4), random(4) - 1
      return node("text", ag.func.substr(a.sql, from, len, {type = ag.Text}), strict(function(x)
        return table.concat(characters(x), "", math.min(from, utf8.len(x) + 1), math.min(from + len - 1, utf8.len(x)))
      end)(a))
    end,
    function(depth)
      local a = gen("int", depth)
      return node("text", a.sql:cast(ag.Text), strict(function(x) return ("%d"):format(x) end)(a))
    end,
    function(depth)
      local a, from, to = gen("text", depth), choice{"a", "b", "%"}, choice{"", "ba", "_"}
      return node("text", ag.func.replace(a.sql, from, to, {type = ag.Text}), strict(function(x)
        return (x:gsub(from == "%" and "%%" or from, to))
      end)(a))
    end,
    function(depth) return case_of("text", depth) end,
    function(depth) return coalesce_of("text", depth) end,
  }

  local function escaped(v) return (v:gsub("[/%%_]", "/%0")) end

  local patterns = {
    {"contains", function(v) return "%" .. v .. "%" end}, {"startswith", function(v) return v .. "%" end},
    {"endswith", function(v) return "%" .. v end},
  }

  local function in_list(depth)
    local kind = choice{"int", "text", "float"}
    local a, values = gen(kind, depth), {}
    for i = 1, random(4) - 1 do values[i] = constant(kind) end
    local negated = random(2) == 1
    local sql = negated and a.sql:not_in(values) or a.sql:in_(values)
    return node("bool", sql, function(row)
      local x = a.ev(row)
      if #values == 0 then return negated end
      if x == nil then return nil end
      for _, v in ipairs(values) do if v == x then return not negated end end
      return negated
    end)
  end

  makers.bool = {
    function(depth)
      local kind = choice{"int", "int", "float", "text", "bool"}
      local a, b = gen(kind, depth), gen(kind, depth)
      local op = choice(kind == "bool" and {"eq", "ne"} or {"eq", "ne", "lt", "le", "gt", "ge"})
      if a.constant or b.constant then op, a, b = "eq", gen("int", depth), gen("int", depth) end
      return node("bool", a.sql[op](a.sql, operand(b)), compare(op)(a, b))
    end,
    function(depth)
      local a, b = gen("bool", depth), gen("bool", depth)
      return node("bool", a.sql & b.sql, function(row)
        local x, y = a.ev(row), b.ev(row)
        if x == false or y == false then return false end
        if x == nil or y == nil then return nil end
        return true
      end)
    end,
    function(depth)
      local a, b = gen("bool", depth), gen("bool", depth)
      return node("bool", a.sql | b.sql, function(row)
        local x, y = a.ev(row), b.ev(row)
        if x or y then return true end
        if x == nil or y == nil then return nil end
        return false
      end)
    end,
    function(depth)
      local a = gen("bool", depth)
      return node("bool", ~a.sql, strict(function(x) return not x end)(a))
    end,
    function(depth)
      local a = gen(choice{"int", "float", "text", "bool"}, depth)
      local negated = random(2) == 1
      return node("bool", negated and a.sql:is_not(nil) or a.sql:is_(nil), function(row) return (a.ev(row) == nil) ~= negated end)
    end,
    function(depth)
      local kind = choice{"int", "text", "float", "bool"}
      local a, b, negated = gen(kind, depth), gen(kind, depth), random(2) == 1
      local sql = negated and a.sql:is_not_distinct_from(operand(b)) or a.sql:is_distinct_from(operand(b))
      return node("bool", sql, function(row) return (a.ev(row) ~= b.ev(row)) ~= negated end)
    end,
    function(depth)
      local kind = choice{"int", "float", "text"}
      local a, lo, hi = gen(kind, depth), gen(kind, depth), gen(kind, depth)
      return node("bool", a.sql:between(operand(lo), operand(hi)), function(row)
        local x, l, h = a.ev(row), lo.ev(row), hi.ev(row)
        local above, below
        if x ~= nil and l ~= nil then above = x >= l end
        if x ~= nil and h ~= nil then below = x <= h end
        if above == false or below == false then return false end
        if above == nil or below == nil then return nil end
        return true
      end)
    end,
    in_list,
    function(depth) -- (a, b) IN ((1, 2), …)
      local a, b, rows = gen("int", depth), gen("text", depth), {}
      for i = 1, random(3) do rows[i] = {constant("int"), constant("text")} end
      return node("bool", ag.tuple_(a.sql, b.sql):in_(rows), function(row)
        local x, y, unknown = a.ev(row), b.ev(row), false
        for _, r in ipairs(rows) do
          if x == r[1] and y == r[2] then return true end
          if (x == nil or x == r[1]) and (y == nil or y == r[2]) then unknown = true end
        end
        if unknown then return nil end
        return false
      end)
    end,
    function(depth)
      local a, v, negated = gen("bool", depth), random(2) == 1, random(2) == 1
      local constant_of = v and ag.true_() or ag.false_()
      return node("bool", negated and a.sql:is_not(constant_of) or a.sql:is_(constant_of), function(row)
        return (a.ev(row) == v) ~= negated
      end)
    end,
    function(depth) -- IN over a subquery
      local a, name, negated = gen("int", depth), choice(names.int), random(2) == 1
      if not M.current then return in_list(depth) end
      local other = M.current:alias()
      local select = ag.select(other.c[name]):where(other.c[name]:is_not(nil))
      return node("bool", negated and a.sql:not_in(select) or a.sql:in_(select), function(row)
        local x = a.ev(row)
        if x == nil then return nil end
        for _, r in ipairs(M.rows) do if r[name] == x then return not negated end end
        return negated
      end)
    end,
    function(depth)
      local a, v = gen("text", depth), lower(constant("text"))
      if random(2) == 1 then
        a = {sql = ag.func.lower(a.sql), ev = strict(lower)(a)} -- SQLite's LIKE has no case
        return node("bool", a.sql:like(v), strict(function(x) return like(x, v) end)(a))
      end
      return node("bool", a.sql:ilike(v), strict(function(x) return like(lower(x), v) end)(a))
    end,
    function(depth)
      local a, v, how = gen("text", depth), lower(constant("text")), choice(patterns)
      local auto = random(3) > 1
      a = {sql = ag.func.lower(a.sql), ev = strict(lower)(a)}
      return node("bool", a.sql[how[1]](a.sql, v, {autoescape = auto}), strict(function(x)
        return like(x, how[2](auto and escaped(v) or v), auto and "/" or nil)
      end)(a))
    end,
    function(depth)
      local a, b, how = gen("text", depth), gen("text", depth), choice(patterns)
      a, b = {sql = ag.func.lower(a.sql), ev = strict(lower)(a)}, {sql = ag.func.lower(b.sql), ev = strict(lower)(b)}
      return node("bool", a.sql[how[1]](a.sql, b.sql), strict(function(x, y)
        return like(x, how[2](y))
      end)(a, b))
    end,
    function(depth) return case_of("bool", depth) end,
  }

  function gen(kind, depth)
    if depth <= 0 or random(6) == 1 then return leaf(kind) end
    if random(60) == 1 and M.current then return subquery(kind) end
    return choice(makers[kind])(depth - 1)
  end

  G.random, G.choice, G.constant = random, choice, constant

  --- An expression of a kind, however it may end.
  function G.any(kind, depth) return gen(kind, depth).sql end

  --- The next expression whose value is defined on all rows, and those values.
  function G.next()
    while true do
      local e = gen(choice{"int", "float", "text", "bool"}, 1 + random(5))
      local values, ok, err = {}, true
      for i, row in ipairs(M.rows) do
        ok, err = pcall(e.ev, row)
        if not ok then
          if err ~= REJECT then error(err, 0) end
          break
        end
        values[i] = err
      end
      if ok then
        e.values = values
        return e
      end
    end
  end

  return G
end

--- Does the database's value equal the evaluator's?
function M.same(got, want)
  if type(want) == "boolean" and math.type(got) == "integer" then got = got ~= 0 end -- BETWEEN has no type, as in SQLAlchemy
  if math.type(want) == "float" and got ~= nil then
    return math.abs(got - want) <= 1e-9 * math.max(1, math.abs(want))
  end
  return got == want
end

--- Compare `count` expressions on a connection with the evaluator; returns how many differ, and calls report(e, row, got, want, sql).
function M.check(conn, tbl, seed, count, report)
  local G, wrong, per = M.new(tbl, seed), 0, 40
  M.current = tbl
  for start = 1, count, per do
    local list, columns = {}, {}
    for i = 1, math.min(per, count - start + 1) do
      list[i] = G.next()
      columns[i] = list[i].sql:label("x" .. i)
    end
    local ok, rows = pcall(function() return conn:execute(ag.select(columns):select_from(tbl):order_by(tbl.c.id)):all() end)
    for i, e in ipairs(list) do
      local alone = rows
      if not ok then -- one of them fails: ask for each by itself
        local fine
        conn:rollback()
        fine, alone = pcall(function() return conn:execute(ag.select(e.sql:label("x" .. i)):select_from(tbl):order_by(tbl.c.id)):all() end)
        if not fine then
          wrong = wrong + 1
          report(e, 0, tostring(alone), "a value")
          conn:rollback()
          alone = nil
        end
      end
      for r = 1, alone and #M.rows or 0 do
        local got = alone[r]["x" .. i]
        if not M.same(got, e.values[r]) then
          wrong = wrong + 1
          report(e, r, got, e.values[r])
          break
        end
      end
    end
  end
  return wrong
end

return M
