-- Injection: every public function that takes a string, with strings that break what is put together carelessly. Each comes back as it
-- was, or is refused; nothing else in the database changes. A public function without a place in spec/support/injection.lua fails here.
local ag = require "argent"
local db = require "spec.support.db"
local hostile = require "spec.support.hostile"
local places = require "spec.support.injection"
local public = require "spec.support.public"

--- In memory a fourth of them: sqlite-file is the same code.
local strings = {}
for i, s in ipairs(hostile) do if not db.memory or i % 4 == 1 then strings[#strings + 1] = s end end

local BENIGN = "benign_name"

local function world()
  local w = {pg = db.postgresql, metadata = ag.MetaData()}
  w.engine = db.engine{enable_from_linting = false}
  local pg = ag.postgresql
  w.t = ag.Table("safe", w.metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("name", ag.Text), ag.Column("day", ag.Date),
    ag.Column("data", ag.JSON)})
  w.one = ag.Table("one", w.metadata, {ag.Column("id", ag.Integer, {primary_key = true})})
  w.one_table = ag.Table("one", ag.MetaData(), {ag.Column("id", ag.Integer, {primary_key = true})})
  w.victim = ag.Table("victim", w.metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("secret", ag.Text)})
  if w.pg then
    local own = ag.Table("own", w.metadata, {ag.Column("id", ag.Integer, {primary_key = true}), ag.Column("doc", pg.JSONB),
      ag.Column("tags", pg.ARRAY(ag.Text)), ag.Column("span", pg.INT4RANGE)})
    w.doc, w.tags, w.span = own.c.doc, own.c.tags, own.c.span
  end
  local Base = ag.declarative_base()
  w.Person = Base:model("Person", {__tablename = "person", id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text),
    pets = ag.relationship("Pet", {back_populates = "owner"})})
  w.Pet = Base:model("Pet", {__tablename = "pet", id = ag.mapped_column(ag.Integer, {primary_key = true}), name = ag.mapped_column(ag.Text),
    owner_id = ag.mapped_column(ag.ForeignKey("person.id")), owner = ag.relationship("Person", {back_populates = "pets"})})
  w.Tag = Base:model("Tag", {__tablename = "tag", name = ag.mapped_column(ag.Text, {primary_key = true})})
  w.n = w.t.c.name
  w.metadata:create_all(w.engine)
  Base.metadata:create_all(w.engine)
  w.engine:begin(function(conn)
    conn:execute(ag.insert(w.t), {{id = 1, name = "a"}, {id = 2, name = "b"}})
    conn:execute(ag.insert(w.one):values{id = 1})
    conn:execute(ag.insert(w.victim), {{id = 1, secret = "keep"}, {id = 2, secret = "this"}})
    conn:execute(ag.insert(w.Person.__table):values{id = 1, name = "ann"})
  end)
  w.conn = w.engine:connect()
  return w
end

--- What must stay as it is: rows of the victim, and the names of everything.
local function fingerprint(w)
  local out = {}
  local conn <close> = w.engine:connect()
  for _, row in ipairs(conn:execute(ag.select(w.victim):order_by(w.victim.c.id)):all()) do out[#out + 1] = tostring(row) end
  local catalog = w.pg and [[SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg%' AND n.nspname <> 'information_schema' ORDER BY 1]] or
    "SELECT type || name || coalesce(sql, '') FROM sqlite_master ORDER BY 1"
  for _, row in ipairs(conn:exec_driver_sql(catalog):all()) do out[#out + 1] = row[1] end
  for _, row in ipairs(conn:exec_driver_sql("SELECT count(*), min(name), max(name) FROM safe"):all()) do out[#out + 1] = tostring(row) end
  conn:rollback()
  return table.concat(out, "\n")
end

local function refused(e)
  if not ag.exc.is_error(e) then error(e, 0) end
  return true
end

--- Runs fn in a savepoint that is undone; false, error when it raised.
local function undone(w, fn)
  local undo = {}
  local ok, e = pcall(w.conn.begin_nested, w.conn, function()
    fn()
    error(undo, 0)
  end)
  if not ok and e ~= undo then return false, e end
  return true
end

--- The statement's text, or nil when it is refused.
local function text_of(make, w, s, options)
  local ok, stmt, expected = pcall(make, w, s)
  if not ok then return nil, refused(stmt) end
  if not stmt then return false end
  local done, compiled = pcall(stmt.compile, stmt, options or {dialect = db.dialect})
  if not done then return nil, refused(compiled) end
  return compiled.string, stmt, expected
end

local check = {}

function check.values(w, make, s, key)
  local text, stmt, expected = text_of(make, w, s)
  if not text then return text end
  local plain = text_of(make, w, BENIGN)
  if plain then assert.equal(plain, text, key .. ": the text depends on the value") end
  local value
  local ok, e = undone(w, function()
    local r = w.conn:execute(stmt)
    if expected ~= nil then value = r:scalar() end
  end)
  if not ok then return nil, refused(e) end
  if expected ~= nil then assert.equal(expected, value, key .. ": the value does not come back") end
  return expected ~= nil and "back" or true
end

local function folded(text, s)
  local quoted = '"' .. s:gsub('"', '""') .. '"'
  local out, from = {}, 1
  while true do
    local a, b = text:find(quoted, from, true)
    if not a then break end
    out[#out + 1] = text:sub(from, a - 1)
    out[#out + 1] = "@"
    from = b + 1
  end
  out[#out + 1] = text:sub(from)
  local joined = table.concat(out)
  if s:find("^[%l_][%l%d_$]*$") then joined = joined:gsub("%f[%w_]" .. s:gsub("%$", "%%$") .. "%f[^%w_$]", "@") end
  return joined
end

function check.names(w, make, s, key)
  local text, stmt = text_of(make, w, s)
  if not text then return text end
  local plain = text_of(make, w, BENIGN)
  if plain then assert.equal(folded(plain, BENIGN), folded(text, s), key .. ": the name changes the text") end
  local ok, e = undone(w, function() w.conn:execute(stmt) end)
  return ok or (refused(e) and nil)
end

function check.literals(w, make, s, key)
  local text, stmt = text_of(make, w, s, {dialect = db.dialect, literal_binds = true})
  if not text then return text end
  local plain = text_of(make, w, BENIGN, {dialect = db.dialect, literal_binds = true})
  local literal = "'" .. s:gsub("'", "''") .. "'"
  if w.pg and s:find("\\", 1, true) then literal = "E" .. literal:gsub("\\", "\\\\") end
  local want = plain:gsub("'" .. BENIGN .. "'", function() return literal end)
  assert.equal(want, text, key .. ": the literal changes the text")
  local value
  local ok, e = undone(w, function()
    local r = w.conn:execute(stmt)
    if r.returns_rows then value = w.conn:exec_driver_sql(text):scalar() end
  end)
  if not ok then return nil, refused(e) end
  if key == "Column:compile" then assert.equal(s, value, key .. ": the literal does not come back") end
  return true
end

function check.calls(w, fn, s)
  local ok, e = undone(w, function() fn(w, s) end)
  return ok or (refused(e) and nil)
end

describe("injection", function()
  local functions = public.functions()
  local keys = {}
  for key in pairs(functions) do keys[#keys + 1] = key end
  table.sort(keys)

  it("has a place for every public function", function()
    local missing = {}
    for _, key in ipairs(keys) do if not places.place(key) then missing[#missing + 1] = key end end
    assert(#missing == 0, "say in spec/support/injection.lua where the strings of these go (\"none\": they take none): " ..
      table.concat(missing, ", "))
    assert.is_true(#hostile >= 150 and #keys > 400)
  end)

  it("has places for functions that there are", function()
    local gone, known = {}, {["ag.Enum of literals"] = true}
    for key in pairs(functions) do
      known[key] = true
      known["*:" .. (key:match(":(.+)$") or "")] = true
    end
    for _, category in ipairs{"values", "names", "literals", "calls", "raw", "none"} do
      for key in pairs(places[category]) do
        if not known[key] and not known["*:" .. (key:match(":(.+)$") or "?")] then gone[#gone + 1] = key end
      end
    end
    assert.same({}, gone)
  end)

  local w, before
  setup(function()
    w = world()
    before = fingerprint(w)
  end)
  teardown(function()
    w.conn:close()
    db.cleanup()
  end)

  for _, category in ipairs{"values", "names", "literals", "calls"} do
    local entries = {}
    for key in pairs(places[category]) do entries[#entries + 1] = key end
    table.sort(entries)
    for _, key in ipairs(entries) do
      it(category .. ": " .. key, function()
        local taken, asked, back = 0, 0, 0
        for _, s in ipairs(strings) do
          local answer = check[category](w, places[category][key], s, key)
          if answer == false then return end -- not of this database
          asked = asked + 1
          if answer then taken = taken + 1 end
          if answer == "back" then back = back + 1 end
        end
        if w.conn:in_transaction() then w.conn:rollback() end
        assert.equal(before, fingerprint(w), key .. ": something else changed")
        assert.is_true(asked == #strings and taken <= asked)
        -- only what no database takes is refused: NUL bytes and broken UTF-8
        if back > 0 then assert.is_true(back * 10 >= asked * 8, ("%s: %d of %d came back"):format(key, back, asked)) end
      end)
    end
  end
end)
