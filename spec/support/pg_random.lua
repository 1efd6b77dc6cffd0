--- Random schemas for PostgreSQL: a MetaData with whatever PostgreSQL can do. The same seed gives the same schema.
local ag = require "argent"
local pg = ag.postgresql

local M = {}

local hostile = {"Mixed", "sp ace", 'q"uote', "it's", "select", "ünï", "100%", "co:lon", "back\\slash", "{brace}", "$1", "NULL", "a,b",
  "(x)", "ä" .. ("y"):rep(61), "--", "/*", "%(x)s", "tab\there", "new\nline"}

local Random = {}
Random.__index = Random

function Random:int(n) return self.rng(1, n) end
function Random:chance(percent) return self.rng(1, 100) <= percent end
function Random:pick(list) return list[self.rng(1, #list)] end

--- A linear congruential generator: the same on every platform.
local function generator(seed)
  local state = seed * 2654435761 % 2^32 // 1 | 0
  return function(low, high)
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return low + (state >> 8) % (high - low + 1)
  end
end

--- A new name: often plain, sometimes hostile; none twice.
function Random:name(prefix)
  self.count = self.count + 1
  local name = prefix .. self.count
  if self:chance(25) then
    name = self:pick(hostile)
    if #name < 60 then name = name .. self.count end
    if self.used[name] then name = prefix .. self.count end
  end
  self.used[name] = true
  return name
end

-- ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────

--- {type, defaults…}: defaults as ag.text, or strings (literals).
local function plain_types()
  local t = ag.text
  return {
    {ag.INTEGER, t "5", t "(1 + 2)"}, {ag.SMALLINT, t "0"}, {ag.BIGINT, t "-9223372036854775808"}, {ag.NUMERIC, t "1.50"},
    {ag.NUMERIC(10, 2), t "12.34"}, {ag.NUMERIC(5)}, {ag.REAL, t "1.5"}, {ag.DOUBLE_PRECISION(53), t "1e300"},
    {ag.TEXT, "it's", t "lower('X')", "", "co:lon ::x"}, {ag.TEXT{collation = "C"}, "c"}, {ag.VARCHAR, "v"}, {ag.VARCHAR(7), "v"},
    {ag.VARCHAR{length = 9, collation = "POSIX"}}, {ag.CHAR(5), "abc"}, {ag.BOOLEAN, t "true"}, {pg.BYTEA, t "'\\xdeadbeef'::bytea"},
    {ag.DATE, t "CURRENT_DATE"}, {ag.TIMESTAMP{precision = 3}, t "now()"}, {ag.TIMESTAMP{timezone = true}, t "now()"},
    {ag.TIMESTAMP, t "'2024-01-01'"}, {ag.TIME{precision = 2}}, {ag.TIME{timezone = true, precision = 0}}, {ag.TIME},
    {pg.INTERVAL, t "'1 day'"}, {pg.INTERVAL{precision = 3}}, {pg.INTERVAL{fields = "day to second", precision = 2}},
    {pg.INTERVAL{fields = "year"}}, {pg.BIT(4), t "'1010'"}, {pg.BIT(6, {varying = true})}, {pg.BIT{varying = true}},
    {ag.JSON, t "'{}'"}, {pg.JSONB, t "'{\"a\": [1, 2]}'"}, {ag.UUID, t "gen_random_uuid()"}, {pg.INET, t "'::1'"}, {pg.CIDR},
    {pg.MACADDR}, {pg.MACADDR8}, {pg.MONEY, t "'1.00'"}, {pg.OID}, {pg.REGCLASS, t "'pg_class'"}, {pg.TSVECTOR}, {pg.TSQUERY},
    {pg.JSONPATH}, {pg.INT4RANGE, t "'[1,5)'"}, {pg.INT8RANGE}, {pg.NUMRANGE}, {pg.DATERANGE}, {pg.TSRANGE}, {pg.TSTZRANGE},
    {pg.ARRAY(ag.INTEGER), t "'{}'", t "ARRAY[1, 2]"}, {pg.ARRAY(ag.TEXT, {dimensions = 2})},
    {pg.ARRAY(ag.NUMERIC(6, 1), {dimensions = 3})}, {pg.ARRAY(ag.VARCHAR(4))}, {pg.ARRAY(ag.TEXT{collation = "C"})},
    {pg.ARRAY(pg.INT4RANGE)}, {pg.ARRAY(ag.TIMESTAMP{timezone = true, precision = 1})},
  }
end

function Random:enum()
  local labels = {"red", "it's", 'd"q', "Ünï", "a b", ""}
  local list = {}
  for i = 1, self:int(#labels) do list[i] = labels[i] end
  return pg.ENUM(list, {name = self:name "e", schema = self:chance(25) and "other" or nil})
end

function Random:domain()
  local schema = self:chance(25) and "other" or nil
  local n, checks = self:int(6), {}
  for i = 1, self:int(3) - 1 do checks[i] = {name = self:name "dc", check = ("length(VALUE::text) < %d"):format(100 + i)} end
  local o = {schema = schema, constraints = checks}
  if n == 1 then o.default, o.not_null = 5, self:chance(50) end
  if n == 1 then return pg.DOMAIN(self:name "d", ag.INTEGER, o) end
  if n == 2 then return pg.DOMAIN(self:name "d", self:pick(self.enums)[1], o) end
  if n == 3 then return pg.DOMAIN(self:name "d", pg.ARRAY(ag.VARCHAR(3), {dimensions = 2}), o) end
  if n == 4 then o.collation = "C" end
  if n <= 5 then return pg.DOMAIN(self:name "d", ag.VARCHAR(20), o) end
  return pg.DOMAIN(self:name "d", pg.DOMAIN(self:name "d", ag.TIMESTAMP{timezone = true, precision = 3}, {schema = schema}), o)
end

function Random:types()
  self.enums, self.domains, self.plain = {}, {}, plain_types()
  for i = 1, self:int(3) do self.enums[i] = {self:enum()} end
  for i = 1, self:int(3) do self.domains[i] = {self:domain()} end
end

function Random:type()
  local n = self:int(10)
  if n == 1 then
    local e = self:pick(self.enums)
    return {e[1], e[1].enums[1]}
  end
  if n == 2 then return self:pick(self.domains) end
  if n == 3 then return {pg.ARRAY(self:pick(self:chance(50) and self.enums or self.domains)[1], {dimensions = self:chance(40) and 2 or nil})} end
  return self:pick(self.plain)
end

-- ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function Random:identity()
  local o = {always = self:chance(50), cycle = self:chance(20), cache = self:chance(30) and self:int(9) or nil}
  if self:chance(40) then o.start, o.increment, o.minvalue, o.maxvalue = 10, self:int(5), 1, 30000 end
  return ag.Identity(o)
end

--- A column that is no key. What a domain decides is said again, for the column has it then anyway.
function Random:column()
  local choice = self:type()
  local o = {nullable = self:chance(70), comment = self:chance(15) and "what's \"this\": " .. self.count or nil}
  if choice[1].class_name == "DOMAIN" and (choice[1].default or choice[1].not_null) then
    o.server_default, o.nullable = ag.text(choice[1].default), not choice[1].not_null and o.nullable
  elseif #choice > 1 and self:chance(50) then
    o.server_default = choice[1 + self:int(#choice - 1)]
  end
  return ag.Column(ag.quoted_name(self:name "c", nil), choice[1], o)
end

--- Integer columns a constraint can be about, and what stands beside them.
function Random:numbers(body)
  local names = {}
  for i = 1, 1 + self:int(3) do
    names[i] = self:name "n"
    body[#body + 1] = ag.Column(names[i], ag.INTEGER, {nullable = self:chance(60)})
  end
  local quoted = '"' .. names[1]:gsub('"', '""') .. '"'
  if self:chance(20) then body[#body + 1] = ag.Column(self:name "g", ag.INTEGER, ag.Computed(quoted .. " * 2", {persisted = true})) end
  if self:chance(15) then body[#body + 1] = ag.Column(self:name "i", ag.BIGINT, self:identity()) end
  if self:chance(10) then
    local s = ag.Sequence("seq" .. self.count, {metadata = self.metadata, start = self:int(9), increment = self:int(3), data_type = ag.INTEGER})
    body[#body + 1] = ag.Column(self:name "s", ag.INTEGER, {server_default = ag.text(("nextval('%s')"):format(s.name))})
  end
  return names
end

function Random:primary_key(body, numbers)
  local n = self:int(6)
  if n == 1 then
    body[#body + 1] = ag.Column("id", self:pick{ag.INTEGER, ag.BIGINT, ag.SMALLINT}, {primary_key = true})
  elseif n == 2 then
    body[#body + 1] = ag.Column("id", ag.INTEGER, self:identity(), {primary_key = true})
  elseif n == 3 then
    body[#body + 1] = ag.Column("id", ag.UUID, {primary_key = true, server_default = ag.text "gen_random_uuid()"})
  elseif n == 4 then
    body[#body + 1] = ag.PrimaryKeyConstraint(numbers[2], numbers[1], {name = self:name "pk",
      deferrable = self:chance(20) or nil, comment = self:chance(30) and "key" or nil})
    return {numbers[2], numbers[1]}
  elseif n == 5 then
    return nil
  else
    body[#body + 1] = ag.Column("id", ag.VARCHAR(20), {primary_key = true})
  end
  return {"id"}
end

-- ── constraints, indexes ─────────────────────────────────────────────────────────────────────────────────────────────

function Random:timing(o)
  if self:chance(20) then
    o.deferrable = true
    o.initially = self:chance(50) and "DEFERRED" or nil
  end
  return o
end

function Random:constraints(body, numbers)
  local quoted = '"' .. numbers[1]:gsub('"', '""'):gsub("\\", "\\") .. '"'
  if self:chance(50) then
    body[#body + 1] = ag.UniqueConstraint(numbers[1], numbers[2], self:timing{name = self:name "uq", comment = self:chance(30) and "u" or nil,
      postgresql_nulls_not_distinct = self:chance(30) or nil, postgresql_include = numbers[3] and self:chance(30) and {numbers[3]} or nil})
  end
  for i = 1, self:int(3) - 1 do
    body[#body + 1] = ag.CheckConstraint(ag.literal_column(("%s > %d OR %s < 0"):format(quoted, i, quoted)), {name = self:name "ck",
      comment = self:chance(20) and "c'k" or nil, postgresql_not_valid = self:chance(20) or nil,
      postgresql_no_inherit = self:chance(20) or nil})
  end
  if self:chance(20) then
    body[#body + 1] = ag.Column("during", pg.INT4RANGE)
    body[#body + 1] = pg.ExcludeConstraint({"during", "&&"}, {ag.literal_column(("int4range(%s, %s)"):format(quoted, quoted)), "-|-"},
      self:timing{name = self:name "ex", using = "gist", where = self:chance(50) and ag.literal_column(quoted .. " > 3") or nil})
  end
end

function Random:index(body, numbers, text)
  local a, b = numbers[1], numbers[2]
  local col = '"' .. text:gsub('"', '""') .. '"'
  local o = {unique = self:chance(20) or nil}
  local n = self:int(8)
  local items = {a, b}
  if n == 1 then items = {ag.literal_column("lower(" .. col .. ")"), a}
  elseif n == 2 then items, o.postgresql_ops = {text, a}, {[text] = "text_pattern_ops"}
  elseif n == 3 then o.postgresql_where = ag.literal_column('"' .. a:gsub('"', '""') .. '" > 5')
  elseif n == 4 then o.postgresql_include = {text}
  elseif n == 5 then items, o.postgresql_using, o.unique = {text}, self:pick{"hash", "brin", "spgist"}, nil
  elseif n == 6 then o.postgresql_with, o.unique = {fillfactor = 50 + self:int(40)}, nil
  elseif n == 7 then o.unique, o.postgresql_nulls_not_distinct = true, self:chance(50) or nil
  end
  local index = {ag.Index(self:name "ix", items, o)}
  body[#body + 1] = index[1]
end

--- Indexes whose items are ordered columns: they need the table.
function Random:ordered_index(tab, numbers, text)
  local function column(name)
    local c = tab.c[name]
    if self:chance(50) then c = c:desc() end
    if self:chance(40) then c = self:chance(50) and c:nulls_first() or c:nulls_last() end
    return c
  end
  local last = tab.c[text]
  local o = {}
  if self:chance(40) then last = last:collate "C" end
  if self:chance(40) then o.postgresql_ops = {[text] = "varchar_pattern_ops"} end
  if self:chance(50) then last = last:desc() end
  local _ = ag.Index(self:name "ix", column(numbers[1]), column(numbers[2]), last, o)
end

-- ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function Random:options(body)
  if self:chance(20) then body.comment = "table's \"comment\"" end
  if self:chance(15) then body.postgresql_with = {fillfactor = 60, autovacuum_vacuum_scale_factor = 0.25} end
  body.schema = self:chance(25) and "other" or nil
end

function Random:table()
  local body, unlogged = {}, self:chance(8)
  for _ = 1, self:int(5) do body[#body + 1] = self:column() end
  local numbers, text = self:numbers(body), self:name "t"
  body[#body + 1] = ag.Column(text, ag.TEXT)
  local key = self:primary_key(body, numbers)
  self:constraints(body, numbers)
  self:options(body)
  for _ = 1, self:int(3) - 1 do self:index(body, numbers, text) end
  if unlogged then body.postgresql_unlogged = true end
  local tab = ag.Table(self:name "tab", self.metadata, body)
  if self:chance(30) then self:ordered_index(tab, numbers, text) end
  if not unlogged then self.tables[#self.tables + 1] = {table = tab, numbers = numbers, key = key} end
end

function Random:partitioned()
  local name = self:name "part"
  local function body()
    return {ag.Column("id", ag.INTEGER, {autoincrement = false}), ag.Column("k", ag.INTEGER), ag.Column("t", ag.TEXT, {server_default = "q"})}
  end
  local parent = body()
  parent[4], parent.postgresql_partition_by = ag.PrimaryKeyConstraint("id", "k", {name = name:sub(1, 40) .. "pk"}), "RANGE (k)"
  ag.Table(name, self.metadata, parent)
  for i = 1, self:int(3) do
    local child = body()
    child[4] = ag.PrimaryKeyConstraint("id", "k", {name = ("%spk%d"):format(name:sub(1, 40), i)})
    child.postgresql_partition_of = name
    child.postgresql_partition_bound = i == 3 and "DEFAULT" or ("FOR VALUES FROM (%d) TO (%d)"):format(i * 10, i * 10 + 10)
    ag.Table(self:name "child", self.metadata, child)
  end
end

function Random:inherited()
  local a, b = self:name "inh", self:name "inh"
  ag.Table(a, self.metadata, {ag.Column("x", ag.INTEGER), ag.CheckConstraint("x > 0", {name = "inh_x" .. self.count})})
  ag.Table(b, self.metadata, {ag.Column("y", ag.TEXT)})
  ag.Table(self:name "inh", self.metadata, {ag.Column("x", ag.INTEGER), ag.Column("y", ag.TEXT), ag.Column("z", ag.DATE),
    postgresql_inherits = {a, b}})
end

--- Foreign keys between any two tables, cycles included.
function Random:foreign_keys()
  local actions = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"}
  for _ = 1, self:int(5) do
    local from, to = self:pick(self.tables), self:pick(self.tables)
    local key = to.key
    if key and not (to.table.primary_key.deferrable) then
      local columns, targets = {}, {}
      for i, name in ipairs(key) do
        local target = to.table.c[name]
        local c = ag.Column(self:name "fk", target.type)
        from.table:append_column(c)
        columns[i], targets[i] = c, target
      end
      local o = self:timing{name = self:name "fkc", onupdate = self:chance(40) and self:pick(actions) or nil,
        ondelete = self:chance(50) and self:pick(actions) or nil, match = self:chance(15) and "FULL" or nil,
        comment = self:chance(15) and "fk" or nil, postgresql_not_valid = self:chance(15) or nil}
      if o.ondelete == "SET NULL" and self:chance(40) then
        o.ondelete = 'SET NULL ("' .. columns[1].name:gsub('"', '""') .. '")'
      end
      from.table:append_constraint(ag.ForeignKeyConstraint(columns, targets, o))
    end
  end
end

--- The schema of a seed.
---@param seed integer
---@return argent.MetaData
function M.metadata(seed)
  local self = setmetatable({rng = generator(seed), count = 0, used = {}, tables = {}, metadata = ag.MetaData()}, Random)
  self:types()
  for _ = 1, 1 + self:int(4) do self:table() end
  if #self.tables > 0 then self:foreign_keys() end
  if self:chance(25) then self:partitioned() end
  if self:chance(20) then self:inherited() end
  return self.metadata
end

return M
