--- Random schemas of SQLite: create, reflect, create in an empty database, reflect again: equal metadata, equal catalogs.
--- ARGENT_SCHEMAS says how many (40), ARGENT_SEED from which seed on (the time).
local ag = require "argent"
local schemas = require "spec.support.schemas"

local count = math.tointeger(tonumber(os.getenv "ARGENT_SCHEMAS" or "")) or 40
local first = math.tointeger(tonumber(os.getenv "ARGENT_SEED" or "")) or os.time() % 1000000

--- Any value as text; types as they are written.
local function show(v, indent)
  if type(v) ~= "table" or getmetatable(v) then return type(v) == "string" and ("%q"):format(v) or tostring(v) end
  local keys, out = {}, {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  for i, k in ipairs(keys) do out[i] = indent .. tostring(k) .. " = " .. show(v[k], indent .. "  ") end
  return "\n" .. table.concat(out, "\n")
end

--- All that the Inspector says.
local function inspected(engine)
  local insp, all = ag.inspect(engine), {}
  for _, what in ipairs{"columns", "pk_constraint", "foreign_keys", "indexes", "unique_constraints", "check_constraints", "table_options"} do
    all[what] = insp["get_multi_" .. what](insp)
  end
  return show(all, "")
end

local pragmas = {
  columns = [[SELECT m.name, x.* FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS x WHERE m.type = 'table' AND m.name NOT LIKE
    'sqlite~_%' ESCAPE '~' ORDER BY m.name, x.cid]],
  keys = [[SELECT m.name, f.id, f.seq, f."table", f."from", f.on_update, f.on_delete, f.match, coalesce(f."to", (SELECT x.name
    FROM pragma_table_xinfo(f."table") AS x WHERE x.pk = f.seq + 1)) FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
    WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq]],
  indexes = [[SELECT m.name, l."unique", l.origin, l.partial, CASE l.origin WHEN 'c' THEN l.name END,
    (SELECT group_concat(x.seqno || ',' || x.cid || ',' || x."desc" || ',' || x.coll || ',' || x."key", ' ') FROM
    pragma_index_xinfo(l.name) AS x) FROM sqlite_master AS m, pragma_index_list(m.name) AS l WHERE m.type = 'table' ORDER BY 1, 3, 5, 6]],
}

--- What SQLite itself says.
local function catalog(engine, flags)
  local conn <close> = engine:connect()
  local all = {}
  for name, sql in pairs(pragmas) do
    local list = {}
    for row in conn:exec_driver_sql(sql):rows() do
      local cells = {}
      for i = 1, #row do
        local v = row[i]
        -- the pragma's words for a type and a default may differ in blanks and case from those that were written
        cells[i] = flags.loose and type(v) == "string" and v:lower():gsub("%s", "") or tostring(v)
      end
      list[#list + 1] = table.concat(cells, "|")
    end
    all[name] = list
  end
  return show(all, "")
end

local function texts(engine)
  local conn <close> = engine:connect()
  return show(conn:exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY type, name"):scalars():all(), "")
end

--- Reflect `from` and create it in a new database.
local function again(from)
  local metadata = ag.MetaData()
  metadata:reflect(from)
  local engine = ag.create_engine("sqlite://")
  metadata:create_all(engine)
  return engine
end

--- The same text, or an error that shows the lines that are not.
local function same(what, a, b)
  if a == b then return end
  local left, right, out = {}, {}, {}
  for line in a:gmatch "[^\n]+" do left[#left + 1] = line end
  for line in b:gmatch "[^\n]+" do right[#right + 1] = line end
  for i = 1, math.max(#left, #right) do
    if left[i] ~= right[i] and #out < 8 then out[#out + 1] = ("- %s\n+ %s"):format(left[i], right[i]) end
  end
  error(what .. " differ:\n" .. table.concat(out, "\n"), 0)
end

local function round_trip(seed, fill, loose)
  local one <close> = setmetatable({ag.create_engine("sqlite://")}, {__close = function(list)
    for _, e in ipairs(list) do e:dispose() end
  end})
  local ok, e = xpcall(function()
    fill(one[1])
    one[2] = again(one[1])
    one[3] = again(one[2])
    same("what the Inspector says", inspected(one[1]), inspected(one[2]))
    same("catalogs", catalog(one[1], {loose = loose}), catalog(one[2], {loose = loose}))
    same("texts", texts(one[2]), texts(one[3]))
  end, function(e) return tostring(e) .. "\n" .. debug.traceback("", 2) end)
  if not ok then error(("seed %d: %s\n%s"):format(seed, e, texts(one[1])), 0) end
end

describe("random schemas of SQLite", function()
  it(("round-trip from a MetaData (%d from seed %d)"):format(count, first), function()
    for seed = first, first + count - 1 do
      round_trip(seed, function(engine) schemas.metadata(seed):create_all(engine) end, false)
    end
  end)

  it(("round-trip from texts in every spelling (%d from seed %d)"):format(count, first), function()
    for seed = first, first + count - 1 do
      round_trip(seed, function(engine)
        engine:begin(function(conn)
          for _, text in ipairs(schemas.texts(seed)) do conn:exec_driver_sql(text) end
        end)
      end, true)
    end
  end)
end)
