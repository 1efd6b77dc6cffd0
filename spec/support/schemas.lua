--- Random schemas for SQLite: as MetaData (S.metadata) and as CREATE texts in every spelling that its grammar allows (S.texts). A
--- seed gives the same schema again.
local ag = require "argent"

local S = {}

local hostile = {"select", "order", "with space", 'a"b', "it's", "semi;colon", "per%cent", "co:lon", "dot.ted", "[br]", "`bt`", "tab\there",
  "new\nline", "日本", "ÄÖ", "🜁", "-- x", "/* c */", "CONSTRAINT", "%(x)s", "?", "$1", "back\\slash", ("n"):rep(63), ("m"):rep(64),
  "CamelCase", "(", ")", ",", "primary key", "0", "1a", "_", "#", "generated always"}
S.hostile = hostile

local Rng = {}
Rng.__index = Rng

--- Numbers of a seed, whatever else draws random numbers.
function S.rng(seed)
  return setmetatable({state = (seed * 2654435761 + 12345) & 0x7fffffff | 1}, Rng)
end

--- An integer from 1 to n.
function Rng:below(n)
  local x = self.state
  x = (x ~ (x << 13)) & 0xffffffff
  x = x ~ (x >> 17)
  x = (x ~ (x << 5)) & 0xffffffff
  self.state = x
  return x % n + 1
end
function Rng:chance(percent) return self:below(100) <= percent end
function Rng:pick(list) return list[self:below(#list)] end

--- A name that is not in `taken` (without regard to case).
function Rng:name(taken, stem)
  for _ = 1, 100 do
    local name = self:chance(35) and self:pick(hostile) or stem .. self:below(40)
    if not taken[name:lower()] then
      taken[name:lower()] = true
      return name
    end
  end
  error("no name left")
end

--- Some of a list, at least one, in its order or another.
function Rng:some(list, most)
  local pool, out = {table.unpack(list)}, {}
  for _ = 1, self:below(math.min(most, #pool)) do out[#out + 1] = table.remove(pool, self:below(#pool)) end
  return out
end

local function q(name) return '"' .. name:gsub('"', '""') .. '"' end
S.quote = q

-- ── as MetaData ──────────────────────────────────────────────────────────────────────────────────────────────────────

local function any_type(r, strict)
  if strict then return r:pick{ag.INTEGER, ag.REAL, ag.TEXT, ag.BLOB} end
  return r:pick{ag.Integer, ag.BigInteger, ag.SmallInteger, ag.String(r:below(200)), ag.Text, ag.Boolean, ag.Float, ag.Double,
    ag.Numeric(r:below(10) + 5, r:below(4)), ag.DECIMAL(8, 2), ag.Date, ag.DateTime, ag.Time, ag.JSON, ag.LargeBinary, ag.CHAR(r:below(9)), ag.Uuid,
    ag.Enum({"a", "bb", "it's"}, {name = "e"}), ag.TIMESTAMP, ag.NVARCHAR(12), ag.NCHAR(3), ag.REAL, ag.String(20, {collation = "NOCASE"}),
    ag.Unicode(7), ag.FLOAT, ag.INTEGER, ag.BLOB}
end

local function any_default(r)
  return r:pick{"5", "it's", "", "(", ag.text "1 + 2", ag.text "CURRENT_TIMESTAMP", ag.text "('a' || 'b')", ag.text "-1.5", ag.text "NULL",
    ag.text "x'00'", ag.text "(abs(-3))", ag.text "('it''s' || ')')"}
end

local function new_column(r, name, o)
  local opts, args = {}, {name, any_type(r, o.strict)}
  if r:chance(30) then opts.nullable = false end
  if r:chance(30) and not o.strict then opts.server_default = any_default(r) end
  if r:chance(15) then opts.unique = true end
  if r:chance(15) then opts.index = true end
  if o.others[1] and not opts.server_default and r:chance(12) then
    opts.unique, opts.index = nil, nil
    args[#args + 1] = ag.Computed(("%s || ')'"):format(q(r:pick(o.others))), {persisted = r:chance(50)})
  end
  args[#args + 1] = opts
  return ag.Column(table.unpack(args))
end

local actions = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"}

--- Foreign keys come when all tables are there: so cycles come, too.
local function add_foreign_keys(r, tables)
  for _, t in ipairs(tables) do
    for _ = 1, r:below(3) - 1 do
      local to = r:pick(tables)
      local columns = {}
      for i = 1, #to.keys do columns[i] = t.plain[i] end
      if #columns == #to.keys then
        local targets = {}
        for i, key in ipairs(to.keys) do targets[i] = to.table.c[key] end
        local o = {name = r:chance(50) and r:name(t.taken, "fk_") or nil, ondelete = r:chance(40) and r:pick(actions) or nil,
          onupdate = r:chance(40) and r:pick(actions) or nil}
        if r:chance(30) then o.deferrable, o.initially = true, r:chance(50) and "DEFERRED" or nil end
        t.table:append_constraint(ag.ForeignKeyConstraint(columns, targets, o))
      end
    end
  end
end

local function add_constraints(r, body, names, taken)
  for _ = 1, r:below(3) - 1 do
    local list = r:some(names, 3)
    list[#list + 1] = {name = r:chance(60) and r:name(taken, "uq_") or nil}
    body[#body + 1] = ag.UniqueConstraint(table.unpack(list))
  end
  for _ = 1, r:below(3) - 1 do
    local text = r:pick{"%s IS NOT NULL", "%s <> ')'", "length(%s) < 10 OR %s IS NULL", "%s IN (1, 2, 'a:b')"}
    body[#body + 1] = ag.CheckConstraint(ag.literal_column((text:gsub("%%s", function() return q(r:pick(names)) end))),
      {name = r:chance(60) and r:name(taken, "ck_") or nil})
  end
end

local function add_indexes(r, tab, names, taken)
  for _ = 1, r:below(4) - 1 do
    local items = {}
    for i, name in ipairs(r:some(names, 3)) do
      local c = tab.c[name]
      items[i] = r:pick{c, c, c:desc(), ag.func.lower(c), ag.literal_column(q(name) .. " COLLATE NOCASE")}
    end
    local where = r:chance(30) and ag.literal_column(q(r:pick(names)) .. " IS NOT NULL") or nil
    tab:_put_index(ag.Index(r:name(taken, "ix_"), items, {unique = r:chance(30), sqlite_where = where}))
  end
end

local function table_options(r, o)
  if r:chance(15) and not o.composite then return {sqlite_autoincrement = true} end
  return {sqlite_with_rowid = r:chance(20) and false or nil, sqlite_strict = o.strict or nil}
end

local function new_table(r, metadata, taken)
  local name, o = r:name(taken, "t"), {strict = r:chance(15), composite = r:chance(30), others = {}}
  local columns, body, keys, constraints = {}, {}, {}, {}
  for i = 1, o.composite and 2 or 1 do
    keys[i] = r:name(columns, "k")
    body[i] = ag.Column(keys[i], ag.INTEGER, {primary_key = true, autoincrement = not o.composite or nil})
  end
  for _ = 1, r:below(7) do
    local column = r:name(columns, "c")
    body[#body + 1] = new_column(r, column, o)
    if not body[#body].computed then o.others[#o.others + 1] = column end
  end
  local all = {table.unpack(o.others)}
  table.move(keys, 1, #keys, #all + 1, all)
  add_constraints(r, body, all, constraints)
  if o.composite and r:chance(50) then body[#body + 1] = ag.PrimaryKeyConstraint(keys[2], keys[1], {name = r:name(constraints, "pk_")}) end
  for key, value in pairs(table_options(r, o)) do body[key] = value end
  local tab = ag.Table(name, metadata, body)
  return {table = tab, keys = keys, plain = o.others, names = all, taken = constraints}
end

--- A MetaData of one to six tables.
---@param seed integer
function S.metadata(seed)
  local r, metadata, taken, tables = S.rng(seed), ag.MetaData(), {}, {}
  for i = 1, r:below(6) do tables[i] = new_table(r, metadata, taken) end
  for _, t in ipairs(tables) do
    local append = require "argent.schema.table"._append
    local put = {c = t.table.c, _put_index = function(_, ix) append(t.table, ix) end}
    add_indexes(r, put, t.names, taken)
  end
  add_foreign_keys(r, tables)
  return metadata
end

-- ── as texts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

--- A name in one of SQLite's quotes.
local function spelled(r, name)
  if name:find("^[%a_][%w_]*$") and not ({select = 1, order = 1, constraint = 1})[name:lower()] and r:chance(40) then return name end
  if not name:find("]", 1, true) and r:chance(20) then return "[" .. name .. "]" end
  if r:chance(20) then return "`" .. name:gsub("`", "``") .. "`" end
  return q(name)
end

local function gap(r) return r:pick{" ", " ", " ", "\n\t", " /* , ) */ ", " -- it's (\n", "  "} end

--- A keyword in some case.
local function word(r, text) return r:chance(50) and text or text:lower() end

local declared = {"INTEGER", "varchar(20)", "NUMERIC (10, 2)", "TEXT", "Boolean", "DATE", "DATETIME", "FLOAT", "DECIMAL(5)", "BIGINT",
  "CHAR ( 3 )", "BLOB", "JSON", "TIMESTAMP", "real"}
local defaults = {"5", "-3", "+1.5", "'it''s'", "('a' || ')')", "(1 + (2))", "CURRENT_TIMESTAMP", "x'ab'", "NULL", "(abs(-1))", "true",
  "('x')", "( 7 )"}

local function fk_tail(r)
  local out = ""
  if r:chance(40) then out = out .. gap(r) .. word(r, "ON DELETE ") .. word(r, r:pick(actions)) end
  if r:chance(40) then out = out .. gap(r) .. word(r, "ON UPDATE ") .. word(r, r:pick{"NO ACTION", "CASCADE"}) end
  if r:chance(30) then out = out .. gap(r) .. r:pick{"DEFERRABLE", "NOT DEFERRABLE", "deferrable initially deferred"} end
  return out
end

local function named(r, taken)
  return r:chance(40) and word(r, "CONSTRAINT ") .. spelled(r, r:name(taken, "n")) .. gap(r) or ""
end

local function text_column(r, name, t, is_key)
  local parts = {spelled(r, name)}
  local function add(text) parts[#parts + 1] = text end
  add(is_key and "INTEGER" or r:pick(declared))
  if r:chance(30) then add(named(r, t.taken) .. word(r, "NOT NULL")) end
  if not is_key and r:chance(40) then add(word(r, "DEFAULT ") .. r:pick(defaults)) end
  if r:chance(15) then add(named(r, t.taken) .. word(r, "UNIQUE")) end
  if r:chance(20) then
    add(named(r, t.taken) .. word(r, "CHECK") .. "(" .. gap(r) .. q(name) .. " <> ')' OR (1))")
  end
  if not is_key and r:chance(25) then
    local to = r:pick(t.all)
    add(named(r, t.taken) .. word(r, "REFERENCES ") .. spelled(r, to.name) .. (r:chance(50) and "(" .. spelled(r, to.key) .. ")" or "")
      .. fk_tail(r))
  end
  return table.concat(parts, gap(r))
end

local function text_table(r, t)
  local parts, names = {text_column(r, t.key, t, true)}, {}
  for i = 1, r:below(6) do
    names[i] = r:name(t.columns, "c")
    parts[#parts + 1] = text_column(r, names[i], t, false)
  end
  if r:chance(25) then
    parts[#parts + 1] = spelled(r, r:name(t.columns, "g")) .. " TEXT " .. r:pick{"GENERATED ALWAYS AS", "AS", "generated always as"}
      .. " ( " .. q(names[1]) .. " || ',)' )" .. r:pick{"", " STORED", " virtual"}
  end
  parts[#parts + 1] = named(r, t.taken) .. word(r, "PRIMARY KEY") .. gap(r) .. "(" .. spelled(r, t.key) .. ")"
  if r:chance(40) then parts[#parts + 1] = named(r, t.taken) .. word(r, "UNIQUE") .. "(" .. spelled(r, r:pick(names)) .. ")" end
  if r:chance(40) then parts[#parts + 1] = named(r, t.taken) .. "CHECK (" .. q(r:pick(names)) .. " <> '''(,')" end
  if r:chance(40) then
    local to = r:pick(t.all)
    parts[#parts + 1] = named(r, t.taken) .. word(r, "FOREIGN KEY") .. "(" .. spelled(r, r:pick(names)) .. ")" .. gap(r)
      .. word(r, "REFERENCES ") .. spelled(r, to.name) .. gap(r) .. "(" .. spelled(r, to.key) .. ")" .. fk_tail(r)
  end
  t.names = names
  return word(r, "CREATE TABLE ") .. spelled(r, t.name) .. gap(r) .. "(" .. gap(r) .. table.concat(parts, gap(r) .. "," .. gap(r)) .. ")"
    .. (r:chance(15) and " WITHOUT rowid" or "")
end

local function text_index(r, t, taken)
  local items = {}
  for i, name in ipairs(r:some(t.names, 3)) do
    items[i] = r:pick{spelled(r, name), spelled(r, name) .. " DESC", "lower(" .. q(name) .. ") desc", q(name) .. " COLLATE NOCASE",
      q(name) .. " || ',)'"}
  end
  return ("CREATE %sINDEX %s%sON %s (%s)%s"):format(r:pick{"", "UNIQUE "}, q(r:name(taken, "ix")), gap(r), q(t.name), table.concat(items, ", "),
    r:chance(30) and " WHERE " .. q(r:pick(t.names)) .. " <> ') where'" or "")
end

--- The statements of a schema of one to five tables.
---@param seed integer
function S.texts(seed)
  local r, taken, all, out = S.rng(seed), {}, {}, {}
  for i = 1, r:below(5) do
    local columns = {}
    all[i] = {name = r:name(taken, "t"), key = r:name(columns, "k"), columns = columns, taken = {}, all = all}
  end
  for _, t in ipairs(all) do out[#out + 1] = text_table(r, t) end
  for _, t in ipairs(all) do
    for _ = 1, r:below(3) - 1 do out[#out + 1] = text_index(r, t, taken) end
  end
  return out
end

return S
