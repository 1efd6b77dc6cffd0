-- Where each public function's strings go (spec/suite/injection_spec.lua). A key is "ag.name", "Class:method", or "*:method" for a
-- method of that name on any class.
--   values:  function(w, s) → statement [, expected]: s is bound; the text must be the one of any other value.
--   names:   function(w, s) → statement: s is an identifier; quoted, it may not change the rest of the text.
--   literals: function(w, s) → an element whose text holds s as a literal: the text must hold it as such a one, or be refused.
--   calls:   function(w, s): anything else that takes a string: it may be refused, or mean nothing to the database.
--   raw:     takes SQL text by contract.   none: takes no string, or one that never comes near SQL.
local ag = require "argent"
local pg = ag.postgresql

local M = {values = {}, names = {}, literals = {}, calls = {}, raw = {}, none = {}}
local V, N, L, C = M.values, M.names, M.literals, M.calls

local function list(into, text)
  for key in text:gmatch("[^\n,]+") do
    key = key:match("^%s*(.-)%s*$")
    if key ~= "" then into[key] = true end
  end
end

-- ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

V["ag.literal"] = function(_, s) return ag.select(ag.literal(s)), s end
V["ag.bindparam"] = function(_, s) return ag.select(ag.bindparam("x", s)), s end
for _, method in ipairs{"params", "unique_params"} do
  V["Column:" .. method] = function(_, s)
    local e = ag.cast(ag.bindparam("x"), ag.Text)
    return ag.select(e[method](e, {x = s})), s
  end
  V["CTE:" .. method] = function(_, s)
    local q = ag.select(ag.cast(ag.bindparam("x"), ag.Text):label("y")):subquery("q")
    return ag.select(q[method](q, {x = s})), s
  end
  V["CompoundSelect:" .. method] = function(_, s)
    local one = ag.select(ag.cast(ag.bindparam("x"), ag.Text):label("y"))
    local both = one:union_all(one)
    return both[method](both, {x = s}), s
  end
end
V["ag.between"] = function(w, s) return ag.select(ag.between(w.n, s, s)) end
V["ag.case"] = function(w, s) return ag.select(ag.case({w.n:eq(s), s}, {else_ = s})):select_from(w.one), s end
V["ag.cast"] = function(_, s) return ag.select(ag.cast(s, ag.Text)), s end
V["ag.try_cast"] = function(_, s) return ag.select(ag.try_cast(s, ag.Text)) end
V["ag.type_coerce"] = function(_, s) return ag.select(ag.type_coerce(s, ag.Text)), s end
V["ag.distinct"] = function(_, s) return ag.select(ag.distinct(ag.literal(s))), s end
V["ag.tuple_"] = function(w, s) return ag.select(w.n):where(ag.tuple_(w.n, w.n):in_{{s, s}}) end
V["ag.values"] = function(_, s) return ag.select(ag.values(ag.column("a", ag.Text), {name = "v"}):data{{s}}.c.a), s end
V["VALUES:data"] = V["ag.values"]
V["ag.any_"] = function(w, s) return w.pg and ag.select(ag.literal(s):eq(ag.any_(pg.array{s}))) end
V["ag.all_"] = function(w, s) return w.pg and ag.select(ag.literal(s):eq(ag.all_(pg.array{s}))) end
V["ag.array"] = function(w, s) return w.pg and ag.select(pg.array{s, "x"}:at(1)), s end
V["ag.func"] = function(_, s) return ag.select(ag.func.coalesce(s, s)), s end
V["ag.aggregate_order_by"] = function(w, s) return w.pg and ag.select(ag.func.array_agg(pg.aggregate_order_by(ag.literal(s), ag.literal(s)))) end
V["function:filter"] = function(w, s) return ag.select(ag.func.count(w.n):filter(w.n:eq(s))) end
V["ag.funcfilter"] = function(w, s) return ag.select(ag.funcfilter(ag.func.count(w.n), w.n:eq(s))) end
V["ag.postgresql.distinct_on"] = function(w, s)
  return w.pg and ag.select(ag.literal(s)):ext(pg.distinct_on(ag.literal(s)))
end
V["ag.exists"] = function(w, s) return ag.select(ag.exists(ag.select(w.n):where(w.n:eq(s)))) end
V["ScalarSelect:where"] = function(w, s) return ag.select(ag.select(w.n):scalar_subquery():where(w.n:eq(s))) end
V["exists:where"] = function(w, s) return ag.select(ag.exists(ag.select(w.n)):where(w.n:eq(s))) end
V["ag.and_"] = function(w, s) return ag.select(w.n):where(ag.and_(w.n:eq(s), w.n:ne(s))) end
V["ag.or_"] = function(w, s) return ag.select(w.n):where(ag.or_(w.n:eq(s), w.n:ne(s))) end
V["ag.not_"] = function(w, s) return ag.select(w.n):where(ag.not_(w.n:eq(s))) end

for _, method in ipairs{"eq", "ne", "lt", "le", "gt", "ge", "is_distinct_from", "is_not_distinct_from", "isnot_distinct_from",
  "like", "not_like", "notlike", "ilike", "not_ilike", "notilike",
  "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regexp_match", "concat"} do
  V["Column:" .. method] = function(w, s) return ag.select(w.n[method](w.n, s)) end
end
V["Column:match"] = function(w, s) return w.pg and ag.select(w.n:match(s)) end
V["Column:regexp_replace"] = function(w, s) return w.pg and ag.select(w.n:regexp_replace(s, s)) end
V["Column:self_group"] = function(w, s) return ag.select((w.n .. s):self_group():concat("")) end
V["Column:between"] = function(w, s) return ag.select(w.n:between(s, s)) end
V["Column:in_"] = function(w, s) return ag.select(ag.literal("z"), w.n):where(w.n:in_{s, s}) end
V["Column:not_in"] = function(w, s) return ag.select(w.n):where(w.n:not_in{s}) end
V["Column:notin_"] = function(w, s) return ag.select(w.n):where(w.n:notin_{s}) end
V["Column:op"] = function(w, s) return ag.select(w.n:op("||")(s)) end
V["Column:bool_op"] = function(w, s) return ag.select(w.n:bool_op("LIKE")(s)) end
V["Column:at"] = function(w, s) return ag.select(w.t.c.data:at(s)) end
for _, method in ipairs{"as_string", "as_integer", "as_float", "as_boolean", "as_numeric", "as_json"} do
  V["Column:" .. method] = function(w, s)
    local item = w.t.c.data:at(s)
    return ag.select(method == "as_numeric" and item:as_numeric(10, 2) or item[method](item))
  end
end
for _, method in ipairs{"has_key", "path_exists", "path_match"} do
  V["Column:" .. method] = function(w, s) return w.pg and ag.select(w.doc[method](w.doc, s)) end
end
for _, method in ipairs{"has_any", "has_all"} do
  V["Column:" .. method] = function(w, s) return w.pg and ag.select(w.doc[method](w.doc, pg.array{s})) end
end
V["Column:delete_path"] = function(w, s) return w.pg and ag.select(w.doc:delete_path(pg.array{s})) end
V["Column:contained_by"] = function(w, s) return w.pg and ag.select(w.tags:contained_by{s}) end
V["ag.postgresql.Any"] = function(w, s) return w.pg and ag.select(pg.Any(s, w.tags)) end
V["ag.postgresql.All"] = function(w, s) return w.pg and ag.select(pg.All(s, w.tags)) end
V["Column:any"] = function(w, s) return w.pg and ag.select(w.tags:any(s)) end
V["Column:all"] = function(w, s) return w.pg and ag.select(w.tags:all(s)) end
V["Column:overlap"] = function(w, s) return w.pg and ag.select(w.tags:overlap{s}) end
for _, method in ipairs{"overlaps", "adjacent_to", "strictly_left_of", "strictly_right_of", "not_extend_left_of", "not_extend_right_of"} do
  V["Column:" .. method] = function(w, s) return w.pg and ag.select(w.span[method](w.span, s)) end
end

V["Insert:values"] = function(w, s) return ag.insert(w.t):values{name = s}:returning(w.n), s end
V["ag.insert"] = V["Insert:values"]
V["Update:values"] = function(w, s) return ag.update(w.t):where(w.t.c.id:eq(1)):values{name = s}:returning(w.n), s end
V["ag.update"] = V["Update:values"]
V["Update:ordered_values"] = function(w, s) return ag.update(w.t):where(w.t.c.id:eq(1)):ordered_values{w.n, s}:returning(w.n), s end
V["Insert:on_conflict_do_update"] = function(w, s)
  return ag.insert(w.t):values{id = 1, name = "x"}:on_conflict_do_update{index_elements = {w.t.c.id}, set = {name = s}}:returning(w.n), s
end
V["Update:where"] = function(w, s) return ag.update(w.t):where(w.n:eq(s)):values{name = s} end
V["Delete:where"] = function(w, s) return ag.delete(w.t):where(w.n:eq(s)) end
V["Delete:using"] = function(w, s) return ag.delete(w.t):using(w.t:alias("other")):where(w.n:eq(s)) end
V["ag.delete"] = V["Delete:where"]
V["*:filter_by"] = function(w, s) return ag.select(w.t.c.id):filter_by{name = s} end
V["Select:where"] = function(w, s) return ag.select(w.n):where(w.n:eq(s)) end
V["Delete:filter"] = function(w, s) return ag.delete(w.t):filter(w.n:eq(s)) end
V["Update:filter"] = function(w, s) return ag.update(w.t):filter(w.n:eq(s)):values{name = s} end
V["Select:filter"] = function(w, s) return ag.select(w.n):filter(w.n:eq(s)) end
V["Select:having"] = function(w, s) return ag.select(w.n):group_by(w.n):having(w.n:eq(s)) end
V["text:bindparams"] = function(w, s) return ag.text("select " .. (w.pg and "cast(:x as text)" or ":x") .. " as a"):bindparams{x = s}, s end
V["TextualSelect:bindparams"] = function(w, s)
  return ag.text("select " .. (w.pg and "cast(:x as text)" or ":x") .. " as a"):columns{a = ag.Text}:bindparams{x = s}, s
end
V["ag.select"] = V["ag.literal"]
V["ag.json_object"] = function(w, s) return ag.insert(w.t):values{data = ag.json_object{[s] = s}}:returning(w.t.c.id) end
V["ag.json_array"] = function(w, s) return ag.insert(w.t):values{data = ag.json_array{s}}:returning(w.t.c.id) end
V["ag.postgresql.Range"] = function(w, s) return w.pg and ag.select(ag.literal(pg.Range(s, s), pg.INT4RANGE)) end
V["ag.postgresql.MultiRange"] = function(w, s) return w.pg and ag.select(ag.literal(pg.MultiRange{pg.Range(s, s)}, pg.INT4MULTIRANGE)) end
V["type:with_variant"] = function(_, s) return ag.select(ag.literal(s, ag.Text():with_variant(ag.String(10), "sqlite"))) end

V["ag.aliased"] = function(w, s) local a = ag.aliased(w.Person) return ag.select(a.name):where(a.name:eq(s)) end
V["attribute:eq"] = function(w, s) return ag.select(w.Person.name):where(w.Person.name:eq(s)) end
V["attribute:ne"] = function(w, s) return ag.select(w.Person.name):where(w.Person.name:ne(s)) end
V["attribute:any"] = function(w, s) return ag.select(w.Person.id):where(w.Person.pets:any{name = s}) end
V["attribute:has"] = function(w, s) return ag.select(w.Pet.id):where(w.Pet.owner:has{name = s}) end
V["attribute:and_"] = function(w, s) return ag.select(w.Person.id):join(w.Person.pets:and_(w.Pet.name:eq(s))) end
V["attribute:is_"] = function(w, s) return ag.select(w.Person.id):where(w.Person.name:is_(ag.literal(s))) end
V["attribute:is_not"] = function(w, s) return ag.select(w.Person.id):where(w.Person.name:is_not(ag.literal(s))) end
V["ag.with_loader_criteria"] = function(w, s) return ag.select(w.Person):options(ag.with_loader_criteria(w.Person, w.Person.name:ne(s))) end

-- ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

N["ag.label"] = function(w, s) return ag.select(ag.label(s, w.n)) end
N["*:label"] = function(w, s) return ag.select(w.n:label(s)) end
N["Select:label"] = function(w, s) return ag.select(ag.select(w.n):limit(1):label(s)) end
N["*:alias"] = function(w, s) return ag.select(w.t:alias(s).c.name) end
N["Select:alias"] = function(w, s) return ag.select(ag.select(w.n):alias(s).c.name) end
N["function:alias"] = function(_, s) return ag.select(ag.func.json_each("{}"):alias(s)) end
N["VALUES:alias"] = function(_, s) return ag.select(ag.values(ag.column("a", ag.Text)):data{{"x"}}:alias(s).c.a) end
N["TextualSelect:alias"] = function(_, s) return ag.select(ag.text("SELECT 1 AS a"):columns{a = ag.Integer}:alias(s).c.a) end
N["CTE:alias"] = function(w, s) return ag.select(ag.select(w.n):cte("c"):alias(s).c.name) end
N["*:subquery"] = function(w, s) return ag.select(ag.select(w.n):subquery(s).c.name) end
N["TextualSelect:subquery"] = function(_, s) return ag.select(ag.text("SELECT 1 AS a"):columns{a = ag.Integer}:subquery(s).c.a) end
N["*:cte"] = function(w, s) return ag.select(ag.select(w.n):cte(s).c.name) end
N["TextualSelect:cte"] = function(_, s) return ag.select(ag.text("SELECT 1 AS a"):columns{a = ag.Integer}:cte(s).c.a) end
N["VALUES:cte"] = function(_, s) return ag.select(ag.values(ag.column("a", ag.Text)):data{{"x"}}:cte(s).c.a) end
for _, class in ipairs{"Insert", "Update", "Delete"} do
  N[class .. ":cte"] = function(w, s)
    local stmt = class == "Delete" and ag.delete(w.t) or ag[class:lower()](w.t):values{name = "x"}
    return w.pg and ag.select(stmt:returning(w.n):cte(s).c.name)
  end
end
N["*:lateral"] = function(w, s) return w.pg and ag.select(ag.select(w.n):lateral(s).c.name) end
N["ag.cte"] = function(w, s) return ag.select(ag.cte(ag.select(w.n), s).c.name) end
N["ag.lateral"] = function(w, s) return w.pg and ag.select(ag.lateral(ag.select(w.n), s).c.name) end
N["ag.alias"] = function(w, s) return ag.select(ag.alias(w.t, s).c.name) end
N["ag.tablesample"] = function(w, s) return w.pg and ag.select(ag.tablesample(w.t, 5, {name = s}).c.name) end
N["*:tablesample"] = function(w, s) return w.pg and ag.select(w.t:tablesample(5, {name = s}).c.name) end
N["ag.column"] = function(_, s) return ag.select(ag.column(s)) end
N["ag.table"] = function(_, s) return ag.select(ag.table(s, ag.column("a")).c.a) end
N["ag.quoted_name"] = function(w, s) return ag.select(w.n:label(ag.quoted_name(s, true))) end
N["Column:collate"] = function(w, s) return ag.select(w.n:collate(s)) end
N["ag.collate"] = function(w, s) return ag.select(ag.collate(w.n, s)) end
N["text:columns"] = function(_, s) return ag.select(ag.text("SELECT 1 AS a"):columns{ag.column(s, ag.Integer)}:subquery().c[s]) end
N["Insert:on_conflict_do_nothing"] = function(w, s) return w.pg and ag.insert(w.t):values{name = "x"}:on_conflict_do_nothing{constraint = s} end
N["function:table_valued"] = function(_, s) return ag.select(ag.func.json_each("{}"):table_valued(s).c[s]) end
N["function:column_valued"] = function(w, s) return w.pg and ag.select(ag.func.generate_series(1, 2):column_valued(s)) end
N["table function:render_derived"] = function(w, s)
  return w.pg and ag.select(ag.func.generate_series(1, 2):table_valued("a"):render_derived{name = s}.c.a)
end
N["function:scalar_table_valued"] = function(w, s) return w.pg and ag.select(ag.func.jsonb_each("{}"):scalar_table_valued(s)) end
N["*:into"] = function(w, s) return ag.select(w.n):into(s) end

local function table_of(s, ...) return ag.Table(s, ag.MetaData(), {ag.Column("id", ag.Integer), ...}) end
N["ag.Table"] = function(_, s) return ag.CreateTable(table_of(s)) end
N["ag.CreateTable"] = N["ag.Table"]
N["ag.CreateColumn"] = function(_, s) return ag.CreateColumn(table_of("made", ag.Column(s, ag.Text)).c[s]) end
N["ag.DropTable"] = function(_, s) return ag.DropTable(table_of(s), {if_exists = true}) end
N["ag.Column"] = function(_, s) return ag.CreateTable(table_of("made", ag.Column(s, ag.Text))) end
N["ag.insert_sentinel"] = function(_, s) return ag.CreateTable(table_of("made", ag.insert_sentinel(s))) end
N["ag.CheckConstraint"] = function(_, s) return ag.CreateTable(table_of("made", ag.CheckConstraint("id > 0", {name = s}))) end
N["ag.conv"] = function(_, s)
  if #s > 63 then error(ag.exc.ArgumentError("longer ones are cut, with a hash"))
end
  return ag.CreateTable(table_of("made", ag.CheckConstraint("id > 0", {name = ag.conv(s)}))) end
N["ag.UniqueConstraint"] = function(_, s) return ag.CreateTable(table_of("made", ag.UniqueConstraint("id", {name = s}))) end
N["ag.PrimaryKeyConstraint"] = function(_, s) return ag.CreateTable(table_of("made", ag.PrimaryKeyConstraint("id", {name = s}))) end
N["ag.ForeignKeyConstraint"] = function(w, s)
  local md = ag.MetaData()
  w.t:to_metadata(md)
  return ag.CreateTable(ag.Table("made", md, {ag.Column("id", ag.Integer), ag.ForeignKeyConstraint({"id"}, {"safe.id"}, {name = s})}))
end
N["ag.ForeignKey"] = function(_, s)
  local md = ag.MetaData()
  local t = ag.Table(s, md, {ag.Column("id", ag.Integer, {primary_key = true})})
  return ag.CreateTable(ag.Table("made", md, {ag.Column("id", ag.Integer, ag.ForeignKey(t.c.id))}))
end
N["ag.Index"] = function(_, s)
  local t = table_of("victim")
  return ag.CreateIndex(ag.Index(s, t.c.id))
end
N["ag.CreateIndex"] = N["ag.Index"]
N["ag.DropIndex"] = function(_, s)
  local t = table_of("victim")
  return ag.DropIndex(ag.Index(s, t.c.id), {if_exists = true})
end
N["ag.Sequence"] = function(w, s) return w.pg and ag.CreateSequence(ag.Sequence(s)) end
N["ag.CreateSequence"] = N["ag.Sequence"]
N["ag.DropSequence"] = function(w, s) return w.pg and ag.DropSequence(ag.Sequence(s), {if_exists = true}) end
N["ag.CreateSchema"] = function(w, s) return w.pg and ag.CreateSchema(s) end
N["ag.DropSchema"] = function(w, s) return w.pg and ag.DropSchema(s, {if_exists = true}) end
N["ag.MetaData"] = function(_, s) return ag.CreateTable(ag.Table("made", ag.MetaData{schema = s}, {ag.Column("id", ag.Integer)})) end
N["Table:to_metadata"] = function(w, s) return ag.CreateTable(w.one_table:to_metadata(ag.MetaData(), {name = s})) end
N["ag.AddConstraint"] = function(_, s)
  local t = table_of("victim", ag.UniqueConstraint("id", {name = s}))
  for _, c in ipairs(t.constraints) do if c.name == s then return ag.AddConstraint(c) end end
end
N["ag.DropConstraint"] = function(_, s)
  local t = table_of("victim", ag.UniqueConstraint("id", {name = s}))
  for _, c in ipairs(t.constraints) do if c.name == s then return ag.DropConstraint(c, {if_exists = true}) end end
end
N["ag.CreateView"] = function(w, s) return ag.CreateView(ag.select(w.n), s) end
N["ag.DropView"] = function(_, s) return ag.DropView(table_of(s)) end
N["ag.CreateTableAs"] = function(w, s) return ag.CreateTableAs(ag.select(w.n), s) end
N["ag.postgresql.CreateType"] = function(w, s) return w.pg and pg.CreateType(ag.Enum({"a"}, {name = s})) end
N["ag.postgresql.DropType"] = function(w, s) return w.pg and pg.DropType(ag.Enum({"a"}, {name = s}), {if_exists = true}) end
N["ag.declarative_base"] = function(_, s)
  local Base = ag.declarative_base()
  return ag.CreateTable(Base:model("X", {__tablename = s, id = ag.mapped_column(ag.Integer, {primary_key = true})}).__table)
end
N["ag.mapped_column"] = function(_, s)
  local Base = ag.declarative_base()
  local X = Base:model("X", {__tablename = "made", id = ag.mapped_column(s, ag.Integer, {primary_key = true})})
  return ag.select(X.id)
end

-- ── literals ─────────────────────────────────────────────────────────────────────────────────────────────────────────

L["Column:compile"] = function(_, s) return ag.select(ag.literal(s)) end
L["Column:is_"] = function(_, s) return ag.select(ag.literal(s):is_(ag.literal(s))) end
L["Column:isnot"] = function(_, s) return ag.select(ag.literal(s):isnot(ag.literal(s))) end
L["Column:is_not"] = function(_, s) return ag.select(ag.literal(s):is_not(ag.literal(s))) end
L["ag.DefaultClause"] = function(_, s) return ag.CreateTable(table_of("made", ag.Column("a", ag.Text, ag.DefaultClause(s)))) end
L["ag.SetTableComment"] = function(w, s) return w.pg and ag.SetTableComment(ag.Table("victim", ag.MetaData(), {comment = s})) end
L["ag.SetColumnComment"] = function(w, s)
  return w.pg and ag.SetColumnComment(ag.Table("victim", ag.MetaData(), {ag.Column("id", ag.Integer, {comment = s})}).c.id)
end
L["ag.SetConstraintComment"] = function(w, s)
  local t = table_of("victim", ag.CheckConstraint("id > 0", {name = "chk", comment = s}))
  for _, c in ipairs(t.constraints) do if c.name == "chk" then return w.pg and ag.SetConstraintComment(c) end end
end
L["ag.Enum of literals"] = function(_, s)
  local enum = ag.Enum({s, "other"}, {name = "e", native_enum = false, create_constraint = true, length = 20000})
  return ag.CreateTable(table_of("made", ag.Column("a", enum)))
end

-- ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

local function executes(make)
  return function(w, s) return w.conn:execute(make(w, s)) end
end

C["Connection:execute"] = function(w, s)
  local r = w.conn:execute(ag.text(w.pg and "select cast(:x as text) as a" or "select :x as a"), {x = s}):scalar()
  assert(r == s)
end
C["Connection:scalar"] = function(w, s) assert(w.conn:scalar(ag.select(ag.literal(s))) == s) end
C["Connection:scalars"] = function(w, s) assert(w.conn:scalars(ag.select(ag.literal(s))):all()[1] == s) end
C["Connection:exec_driver_sql"] = function(w, s)
  assert(w.conn:exec_driver_sql(w.pg and "select cast($1 as text)" or "select ?", {s}):scalar() == s)
end
C["Connection:execution_options"] = function(w, s) w.conn:execution_options{isolation_level = s} end
C["Engine:execution_options"] = function(w, s) w.engine:execution_options{isolation_level = s} end
C["Connection:begin_twophase"] = function(w, s)
  local c <close> = w.engine:connect()
  local tx <close> = c:begin_twophase(s)
  c:execute(ag.select(w.n))
  tx:prepare()
  tx:rollback()
end
C["Connection:commit_prepared"] = function(w, s)
  local c <close> = w.engine:connect()
  c:commit_prepared(s, {recover = true})
end
C["Connection:rollback_prepared"] = function(w, s)
  local c <close> = w.engine:connect()
  c:rollback_prepared(s, {recover = true})
end
C["RawConnection:execute"] = function(w, s)
  local raw <close> = w.engine:raw_connection()
  assert(raw:execute(w.pg and "select cast($1 as text)" or "select ?", {s})[1][1] == s)
end
C["RawConnection:create_function"] = function(w, s)
  local raw <close> = w.engine:raw_connection()
  raw:create_function(s, 0, function() end)
end
C["RawConnection:create_collation"] = function(w, s)
  local raw <close> = w.engine:raw_connection()
  raw:create_collation(s, function() return 0 end)
end
C["ag.extract"] = executes(function(w, s) return ag.select(ag.extract(s, w.t.c.day)) end)
C["ag.Computed"] = function(_, s) return ag.Computed(s) end
C["Column:cast"] = executes(function(w, s) return ag.select(w.n:cast(s)) end)
C["ag.over"] = executes(function(w, s) return ag.select(ag.over(ag.func.count(w.n), {partition_by = s})) end)
C["function:over"] = executes(function(w, s) return ag.select(ag.func.count(w.n):over{order_by = s}) end)
C["*:with_for_update"] = executes(function(w, s) return ag.select(w.n):with_for_update{of = s} end)
C["*:set_label_style"] = executes(function(w, s) return ag.select(w.n):set_label_style(s) end)
C["*:order_by"] = executes(function(w, s) return ag.select(w.n):order_by(s) end)
C["*:group_by"] = executes(function(w, s) return ag.select(w.n):group_by(s) end)
C["*:limit"] = executes(function(w, s) return ag.select(w.n):limit(s) end)
C["*:offset"] = executes(function(w, s) return ag.select(w.n):offset(s) end)
C["*:fetch"] = executes(function(w, s) return ag.select(w.n):fetch(s) end)
C["*:slice"] = executes(function(w, s) return ag.select(w.n):slice(s, s) end)
C["Select:distinct"] = executes(function(w, s) return ag.select(w.n):distinct(s) end)
C["*:join"] = executes(function(w, s) return ag.select(w.n):join(s) end)
C["*:outerjoin"] = executes(function(w, s) return ag.select(w.n):outerjoin(s) end)
C["Select:join_from"] = executes(function(w, s) return ag.select(w.n):join_from(w.t, s) end)
C["Select:outerjoin_from"] = executes(function(w, s) return ag.select(w.n):outerjoin_from(w.t, s) end)
C["*:select_from"] = executes(function(w, s) return ag.select(w.n):select_from(s) end)
C["*:correlate"] = executes(function(w, s) return ag.select(w.n):correlate(s) end)
C["*:correlate_except"] = executes(function(w, s) return ag.select(w.n):correlate_except(s) end)
C["*:add_columns"] = executes(function(w, s) return ag.select(w.n):add_columns(s) end)
C["*:with_only_columns"] = executes(function(w, s) return ag.select(w.n):with_only_columns(s) end)
C["*:union"] = executes(function(w, s) return ag.select(w.n):union(s) end)
C["*:union_all"] = executes(function(w, s) return ag.select(w.n):union_all(s) end)
C["*:except_"] = executes(function(w, s) return ag.select(w.n):except_(s) end)
C["*:except_all"] = executes(function(w, s) return ag.select(w.n):except_all(s) end)
C["*:intersect"] = executes(function(w, s) return ag.select(w.n):intersect(s) end)
C["*:intersect_all"] = executes(function(w, s) return ag.select(w.n):intersect_all(s) end)
C["*:options"] = executes(function(w, s) return ag.select(w.n):options(s) end)
C["*:ext"] = executes(function(w, s) return ag.select(w.n):ext(s) end)
C["*:apply_syntax_extension_point"] = executes(function(w, s) return ag.select(w.n):apply_syntax_extension_point(s, s) end)
C["*:add_cte"] = executes(function(w, s) return ag.select(w.n):add_cte(s) end)
C["*:execution_options"] = executes(function(w, s) return ag.select(w.n):execution_options{isolation_level = s, logging_token = s} end)
C["*:with_dialect_options"] = executes(function(w, s) return ag.update(w.t):values{name = "x"}:with_dialect_options{[s] = s} end)
C["*:returning"] = executes(function(w, s) return ag.insert(w.t):values{name = "x"}:returning(s) end)
C["*:return_defaults"] = executes(function(w, s) return ag.insert(w.t):values{name = "x"}:return_defaults(s) end)
C["Insert:from_select"] = executes(function(w, s) return ag.insert(w.t):from_select({s}, ag.select(w.n)) end)
C["Column:asc"] = executes(function(w, s) return ag.select(w.n):order_by(ag.asc(s)) end)
for _, name in ipairs{"asc", "desc", "nulls_first", "nulls_last", "nullsfirst", "nullslast", "union", "union_all", "except_", "except_all",
  "intersect", "intersect_all"} do
  C["ag." .. name] = executes(function(w, s)
    local made = ag[name](s, ag.select(w.n))
    return ag.select(w.n):order_by(made)
  end)
end
C["ag.join"] = executes(function(w, s) return ag.select(w.n):select_from(ag.join(w.t, s)) end)
C["ag.outerjoin"] = executes(function(w, s) return ag.select(w.n):select_from(ag.outerjoin(s, w.t)) end)
C["ag.within_group"] = executes(function(w, s) return ag.select(ag.within_group(ag.func.mode(), s)):select_from(w.t) end)
C["function:within_group"] = executes(function(w, s) return ag.select(ag.func.mode():within_group(s)):select_from(w.t) end)
C["function:as_comparison"] = function(_, s) return ag.func.f(s):as_comparison(s, s) end
C["function:aggregate_order_by"] = executes(function(w, s) return ag.select(ag.func.array_agg(w.n):aggregate_order_by(s)) end)
C["*:compile"] = function(w, s) return ag.select(w.n):compile{dialect = s} end
C["ag.register_function"] = function(_, s) ag.register_function("injected." .. s, function() end) end
C["ag.GenericFunction"] = function(_, s) return ag.GenericFunction{name = s, package = "injected"} end
C["ag.FunctionElement"] = function(_, s) return ag.FunctionElement{name = s} end
C["ag.TypeDecorator"] = function(_, s) return ag.TypeDecorator{impl = s} end
C["ag.Identity"] = function(_, s) return ag.CreateTable(table_of("made", ag.Column("a", ag.Integer, ag.Identity{start = s}))) end
C["ag.FetchedValue"] = function(_, s) return ag.FetchedValue(s) end
C["ag.DropTableComment"] = function(_, s) return ag.DropTableComment(s) end
C["ag.DropColumnComment"] = function(_, s) return ag.DropColumnComment(s) end
C["ag.DropConstraintComment"] = function(_, s) return ag.DropConstraintComment(s) end
C["Table:append_column"] = function(_, s) table_of("made"):append_column(s) end
C["Table:append_constraint"] = function(_, s) table_of("made"):append_constraint(s) end
C["Table:create"] = function(w, s) w.one_table:create(w.conn, {checkfirst = s}) end
C["Table:drop"] = function(w, s) w.one_table:drop(w.conn, {checkfirst = s}) end
C["MetaData:create_all"] = function(w, s) ag.MetaData():create_all(w.conn, {tables = {s}}) end
C["MetaData:drop_all"] = function(w, s) ag.MetaData():drop_all(w.conn, {tables = {s}}) end
C["MetaData:reflect"] = function(w, s) ag.MetaData():reflect(w.conn, {only = {s}, schema = s}) end
C["Table:insert_column"] = function(_, s) ag.Table("t", ag.MetaData(), {ag.Column("a", ag.Integer)}):insert_column(ag.Column(s, ag.Text), 1) end
C["MetaData:get_schema_objects"] = function(_, s) ag.MetaData():get_schema_objects(ag.Enum, {schema = s}) end
C["MetaData:get_schema_object_by_name"] = function(_, s) ag.MetaData():get_schema_object_by_name(ag.Enum, s, {schema = s}) end
C["type:create"] = function(w, s) ag.Enum({"a"}, {name = s, schema = s}):create(w.conn) end
C["type:drop"] = function(w, s) ag.Enum({"a"}, {name = s, schema = s}):drop(w.conn) end
C["MetaData:remove"] = function(_, s) ag.MetaData():remove(s) end
N["Column:append_foreign_key"] = function(_, s)
  local t = table_of("made", ag.Column("a", ag.Integer))
  t.c.a:append_foreign_key(ag.ForeignKey("made.id", {name = s}))
  return ag.CreateTable(t)
end
C["Column:references"] = function(w, s) return w.n:references(s) end
C["DDL element:execute_if"] = executes(function(w, s) return ag.CreateTable(w.one_table):execute_if{dialect = s} end)
C["ag.create_engine"] = function(_, s) ag.create_engine(s) end
C["ag.create_mock_engine"] = function(_, s) ag.create_mock_engine(s, function() end) end
C["ag.engine_from_config"] = function(_, s) ag.engine_from_config({["x." .. s] = s, ["x.url"] = s}, "x.") end
C["ag.make_url"] = function(_, s) return ag.make_url(s) end
C["ag.URL.create"] = function(_, s)
  local url = ag.URL.create("postgresql", {username = s, password = s, host = "h", database = s})
  local again = ag.make_url(url:render_as_string{hide_password = false})
  assert(again.username == s and again.password == s and again.database == s, "the URL does not read back")
end
C["URL:render_as_string"] = C["ag.URL.create"]
C["URL:set"] = function(_, s) assert(ag.make_url("postgresql://h/d"):set{database = s}.database == s) end
C["URL:update_query_dict"] = function(_, s)
  local url = ag.make_url("postgresql://h/d"):update_query_dict{application_name = s}
  assert(ag.make_url(url:render_as_string{hide_password = false}).query.application_name == s)
end
C["URL:update_query_pairs"] = function(_, s) return ag.make_url("postgresql://h/d"):update_query_pairs{{"k", s}} end
C["URL:update_query_string"] = function(_, s) return ag.make_url("postgresql://h/d"):update_query_string(s) end
C["URL:difference_update_query"] = function(_, s) return ag.make_url("postgresql://h/d?a=b"):difference_update_query{s} end
C["ag.date"] = function(_, s) return ag.date(s) end
C["ag.time"] = function(_, s) return ag.time(s) end
C["ag.datetime"] = function(_, s) return ag.datetime(s) end
C["ag.interval"] = function(_, s) return ag.interval(s) end
C["ag.decimal"] = function(_, s) return ag.decimal(s) end
C["ag.dialects.get"] = function(_, s) return ag.dialects.get(s) end
C["ag.inspect"] = function(w, s)
  local insp = ag.inspect(w.conn)
  insp:get_columns(s)
end
V["ag.ColumnDefault"] = function(_, s)
  return ag.insert(table_of("made", ag.Column("a", ag.Text), ag.Column("b", ag.Text, ag.ColumnDefault(s)))):values{a = s}, s
end
C["ag.event.listen"] = function(w, s) ag.event.listen(w.engine, s, function() end) end
C["ag.event.listens_for"] = function(w, s) ag.event.listens_for(w.engine, s, function() end) end
C["ag.event.remove"] = function(w, s) ag.event.remove(w.engine, s, function() end) end
C["ag.event.contains"] = function(w, s) ag.event.contains(w.engine, s, function() end) end
C["Result:columns"] = function(w, s) return w.conn:execute(ag.select(w.n)):columns(s) end
C["Result:scalars"] = function(w, s) return w.conn:execute(ag.select(w.n)):scalars(s) end
C["Result:scalar"] = function(w, s) return w.conn:execute(ag.select(w.n)):one_or_none()[s] end

-- ORM: objects, keys, options named by strings
local function session(w) return ag.Session(w.engine) end
local function stored(w, s, fn)
  local ses <close> = session(w)
  local key = fn(ses)
  if key ~= nil then
    ses:expire_all()
    local x = ses:get(w.Person, key)
    assert(x ~= nil and x.name == s, "the object does not read back")
  end
  ses:rollback()
end
local function add_person(w, s)
  stored(w, s, function(ses)
    local x = w.Person{name = s}
    ses:add(x)
    ses:flush()
    return x.id
  end)
end
for _, key in ipairs{"Session:add", "Session:flush", "Session:add_all", "Session:commit"} do C[key] = add_person end
C["Session:merge"] = function(w, s)
  stored(w, s, function(ses)
    ses:merge(w.Person{id = 900, name = s})
    ses:flush()
    return 900
  end)
end
C["Session:merge_all"] = function(w, s)
  stored(w, s, function(ses)
    ses:merge_all{w.Person{id = 901, name = s}}
    ses:flush()
    return 901
  end)
end
C["Session:get"] = function(w, s) local ses <close> = session(w) ses:get(w.Tag, s) end
C["Session:get_one"] = function(w, s) local ses <close> = session(w) ses:get_one(w.Tag, s) end
C["Session:execute"] = function(w, s) local ses <close> = session(w) assert(ses:execute(ag.select(ag.literal(s))):scalar() == s) end
C["Session:scalar"] = function(w, s) local ses <close> = session(w) assert(ses:scalar(ag.select(ag.literal(s))) == s) end
C["Session:scalars"] = function(w, s) local ses <close> = session(w) assert(ses:scalars(ag.select(ag.literal(s))):all()[1] == s) end
C["Session:delete"] = function(w, s)
  local ses <close> = session(w)
  local tag = w.Tag{name = s}
  ses:add(tag)
  ses:flush()
  ses:delete(tag)
  ses:flush()
  ses:rollback()
end
C["Session:delete_all"] = C["Session:delete"]
C["Session:refresh"] = function(w, s) local ses <close> = session(w) ses:refresh(ses:get(w.Person, 1), {s}) end
C["Session:expire"] = function(w, s) local ses <close> = session(w) ses:expire(ses:get(w.Person, 1), {s}) end
C["ag.Session"] = function(w, s) return ag.Session(w.engine, {[s] = s}) end
C["ag.sessionmaker"] = function(w, s) return ag.sessionmaker(w.engine, {[s] = s}) end
C["ag.scoped_session"] = function(w, s) return ag.scoped_session(ag.sessionmaker(w.engine), function() return s end){[s] = s} end
for _, name in ipairs{"selectinload", "joinedload", "subqueryload", "lazyload", "immediateload", "noload", "raiseload", "defaultload",
  "contains_eager", "load_only", "defer", "undefer", "undefer_group", "Load"} do
  C["ag." .. name] = function(w, s)
    local ses <close> = session(w)
    ses:scalars(ag.select(w.Person):options(ag[name](s))):all()
  end
end
local function model(s, extra)
  local Base = ag.declarative_base()
  local def = {__tablename = "person", id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text)}
  for k, v in pairs(extra) do def[k] = v end
  local X = Base:model("X", def)
  ag.configure_mappers()
  return X, s
end
C["ag.relationship"] = function(w, s)
  local X = model(s, {others = ag.relationship(s, {primaryjoin = s, order_by = s, foreign_keys = s, remote_side = s})})
  w.conn:execute(ag.select(X.others))
end
C["ag.backref"] = function(_, s) model(s, {others = ag.relationship("X", {backref = ag.backref(s)})}) end
C["ag.synonym"] = function(w, s) w.conn:execute(ag.select(model(s, {other = ag.synonym(s)}).other)) end
C["ag.association_proxy"] = function(_, s) return model(s, {other = ag.association_proxy(s, s)}) end
C["ag.composite"] = function(_, s) return model(s, {other = ag.composite(s, s)}) end
C["ag.column_property"] = function(_, s) return model(s, {other = ag.column_property(s)}) end
C["ag.deferred"] = function(_, s) return model(s, {other = ag.deferred(ag.mapped_column(ag.Text), {group = s})}) end
C["ag.validates"] = function(_, s) return model(s, {check = ag.validates(s, function() end)}) end
C["ag.hybrid_property"] = function(_, s)
  return model(s, {h = ag.hybrid_property(function() return s end, {expression = function() return s end})})
end
C["ag.with_parent"] = executes(function(w, s) return ag.select(w.Pet):where(ag.with_parent(s, w.Person.pets)) end)
C["ag.flag_modified"] = function(w, s) ag.flag_modified(w.Person{}, s) end
C["attribute:contains"] = executes(function(w, s) return ag.select(w.Person):where(w.Person.pets:contains(s)) end)
C["attribute:of_type"] = executes(function(w, s) return ag.select(w.Person):join(w.Person.pets:of_type(s)) end)
for _, method in ipairs{"add", "append", "contains", "remove", "index"} do
  C["collection:" .. method] = function(w, s) local x = w.Person{} x.pets[method](x.pets, s) end
end
C["collection:insert"] = function(w, s) w.Person{}.pets:insert(1, s) end
C["collection:extend"] = function(w, s) w.Person{}.pets:extend{s} end
C["ag.attribute_keyed_dict"] = function(_, s) return ag.attribute_keyed_dict(s) end
C["ag.with_expression"] = function(w, s) return ag.select(w.Person):options(ag.with_expression(w.Person.name, ag.literal(s))) end
C["ag.query_expression"] = function(_, s) return model(s, {q = ag.query_expression(ag.literal(s))}) end
C["ag.with_polymorphic"] = function(w, s) return ag.with_polymorphic(w.Person, s) end
C["ag.selectin_polymorphic"] = function(w, s) return ag.selectin_polymorphic(w.Person, s) end
C["ag.postgresql.ExcludeConstraint"] = function(_, s) return pg.ExcludeConstraint({s, s}, {name = s, using = s}) end

-- ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────

list(M.raw, [[
  ag.text, ag.literal_column, ag.DDL, *:prefix_with, *:suffix_with, *:with_hint, *:with_statement_hint, ag.UserDefinedType,
  ag.ClauseElement, ag.ColumnElement, ag.Executable, ag.ExecutableDDLElement, ag.SyntaxExtension, ag.compiles
]])
list(M.none, [[
  Column:all_, Column:any_, Column:bitwise_and, Column:bitwise_lshift, Column:bitwise_not, Column:bitwise_or, Column:bitwise_rshift,
  Column:bitwise_xor,
  ag.bitwise_not, Column:copy, Column:desc, Column:distinct, Column:nulls_first, Column:nulls_last, Column:nullsfirst, Column:nullslast,
  Column:render_literal_execute, Column:slice, *:compare, *:delete, *:update, *:corresponding_column, *:is_derived_from, *:replace_selectable,
  *:get_label_style, Column:shares_lineage,
  ag.FrameClause, ag.from_dml_column, *:get_children, *:get_final_froms, ag.ClauseAdapter, ag.visitors.iterate,
  ag.visitors.replacement_traverse, ag.visitors.traverse, ag.sort_tables, ag.sort_tables_and_constraints,
  *:insert, *:select, *:exists, *:scalar_subquery, *:get_execution_options, *:inline, *:reduce_columns, *:scalar_values,
  Connection:begin, Connection:begin_nested, Connection:close, Connection:commit, Connection:detach, Connection:get_isolation_level,
  Connection:get_nested_transaction, Connection:get_transaction, Connection:in_nested_transaction, Connection:in_transaction,
  Connection:invalidate, Connection:recover_twophase, Connection:rollback, Engine:begin, Engine:clear_compiled_cache, Engine:connect,
  Engine:dispose, Engine:raw_connection, Engine:run_in_transaction, MetaData:clear, Pool:checkedin, Pool:checkedout, Pool:dispose,
  Pool:overflow, Pool:size, Pool:stats, Pool:status, Pool:timeout, RawConnection:close, RawConnection:detach, RawConnection:invalidate,
  Result:all, Result:close, Result:fetchall, Result:fetchmany, Result:fetchone, Result:first, Result:freeze, Result:keys, Result:mappings,
  Result:merge, Result:one, Result:one_or_none, Result:partitions, Result:rows, Result:scalar_one, Result:scalar_one_or_none,
  Result:set_rowcounts, Result:prefetch_cols, Result:postfetch_cols, Result:supports_sane_rowcount,
  Result:supports_sane_multi_rowcount, Result:tuples, Result:unique, Result:yield_per, Session:begin, Session:begin_nested, Session:close,
  Session:connection, Session:contains, Session:expire_all, Session:expunge, Session:expunge_all, Session:get_bind,
  Session:in_nested_transaction, Session:in_transaction, Session:invalidate, Session:is_modified, Session:no_autoflush,
  Session:prepare, Session:reset,
  Session:rollback, Table:add_is_dependent_on, Transaction:close, Transaction:commit, Transaction:prepare, Transaction:rollback,
  URL:get_backend_name, URL:get_driver_name, ag.configure_mappers, ag.keyfunc_mapping, ag.date.today, ag.datetime.from_timestamp, ag.datetime.now,
  ag.datetime.utcnow, ag.declared_attr, ag.deregister, ag.dialects.register, ag.event.call, ag.event.listeners, ag.event.register,
  ag.exc.is_error, ag.false_, ag.true_, ag.null_, ag.hybrid_method, ag.log.set_handler, ag.make_transient, ag.make_transient_to_detached,
  ag.object_session, ag.to_table, ag.try, ag.unpack, collection:all, collection:clear, collection:each, collection:pop,
  date:isoformat, date:isoweekday, datetime:date, datetime:isoformat, datetime:isoweekday, datetime:time, datetime:timestamp,
  decimal:div, decimal:round, decimal:tointeger, decimal:tonumber, interval:isoformat, interval:total_seconds, time:isoformat,
  *:table_valued, type:as_generic, type:dialect_impl, type:evaluates_none
]])

--- The category of a function, and its entry.
function M.place(key)
  local method = key:match(":(.+)$")
  for _, category in ipairs{"values", "names", "literals", "calls", "raw", "none"} do
    if M[category][key] then return category, M[category][key] end
  end
  for _, category in ipairs{"values", "names", "literals", "calls", "raw", "none"} do
    local any = method and (M[category]["*:" .. method] or M[category]["Column:" .. method])
    if any then return category, any end
  end
end

return M
