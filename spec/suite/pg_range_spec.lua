--- Ranges in Lua against ranges in PostgreSQL: every operator, for every pair of a set of ranges, must say the same on both sides.
local ag = require "argent"
local db = require "spec.support.db"
local pg = ag.postgresql
local Range = pg.Range

local function all_ranges(points)
  local list = {Range{empty = true}}
  local ends = {ag.null, table.unpack(points)}
  for _, bounds in ipairs{"[)", "[]", "()", "(]"} do
    for _, low in ipairs(ends) do
      for _, high in ipairs(ends) do
        if low == ag.null or high == ag.null or low <= high then list[#list + 1] = Range(low, high, bounds) end
      end
    end
  end
  return list
end

local kinds = {
  {"INT4RANGE", all_ranges{1, 2, 4}, {0, 1, 2, 3, 4, 5}},
  {"INT8RANGE", all_ranges{-5000000000, 5000000000}, {0, -5000000000}},
  {"NUMRANGE", all_ranges{ag.decimal "1.5", ag.decimal "2.5"}, {ag.decimal "1.5", ag.decimal "2"}},
  {"DATERANGE", all_ranges{ag.date "2024-02-28", ag.date "2024-03-01"}, {ag.date "2024-02-28", ag.date "2024-02-29"}},
  {"TSRANGE", all_ranges{ag.datetime "2024-01-01 10:00:00", ag.datetime "2024-01-01 10:00:00.000001"},
    {ag.datetime "2024-01-01 10:00:00"}},
  {"TSTZRANGE", all_ranges{ag.datetime "2024-01-01 10:00:00+02:00", ag.datetime "2024-01-01 10:00:00+00:00"},
    {ag.datetime "2024-01-01 09:00:00+00:00"}},
}

local tests = {"contains", "contained_by", "overlaps", "strictly_left_of", "strictly_right_of", "not_extend_left_of",
  "not_extend_right_of", "adjacent_to", "eq"}
local makers = {"union", "intersection", "difference"}

--- What Lua says of a pair, nil where it raises.
local function in_lua(method, a, b)
  if method == "eq" then return a == b end
  local ok, value = pcall(a[method], a, b)
  if not ok then return nil end
  return value
end

if db.postgresql then
  describe("ranges", function()
    after_each(db.cleanup)

    for _, kind in ipairs(kinds) do
      local name, ranges, points = table.unpack(kind)
      local of_type = pg[name]

      it(name .. ": operators in Lua agree with the database", function()
        local engine = db.engine()
        local conn <close> = engine:connect()
        local a = ag.bindparam("a", {type = of_type})
        local b = ag.bindparam("b", {type = of_type})
        local columns = {}
        for i, method in ipairs(tests) do columns[i] = a[method](a, b):label(method) end
        local stmt = ag.select(columns)
        for _, x in ipairs(ranges) do
          for _, y in ipairs(ranges) do
            local row = conn:execute(stmt, {a = x, b = y}):one()
            for _, method in ipairs(tests) do
              assert(row[method] == in_lua(method, x, y), ("%s %s %s is %s"):format(x, method, y, tostring(row[method])))
            end
          end
        end
      end)

      it(name .. ": unions, intersections and differences agree with the database", function()
        local engine = db.engine()
        local conn <close> = engine:connect()
        local a = ag.bindparam("a", {type = of_type})
        local b = ag.bindparam("b", {type = of_type})
        for _, method in ipairs(makers) do
          local stmt = ag.select(a[method](a, b))
          for i = 1, #ranges, 2 do
            for k = 1, #ranges, 3 do
              local value = ag.try(conn.scalar, conn, stmt, {a = ranges[i], b = ranges[k]})
              if value == nil then conn:rollback() end
              local mine = in_lua(method, ranges[i], ranges[k])
              assert(value == mine, ("%s %s %s is %s, not %s"):format(ranges[i], method, ranges[k], tostring(value), tostring(mine)))
            end
          end
        end
      end)

      it(name .. ": holds the values that the database says it holds", function()
        local engine = db.engine()
        local conn <close> = engine:connect()
        local a = ag.bindparam("a", {type = of_type})
        for _, point in ipairs(points) do
          local stmt = ag.select(a:contains(point))
          for _, x in ipairs(ranges) do
            assert(conn:scalar(stmt, {a = x}) == x:contains(point), ("%s contains %s"):format(x, tostring(point)))
          end
        end
      end)
    end
  end)
else
  describe("ranges", function()
    it("are PostgreSQL's", function()
      assert.error(function() return ag.CreateTable(ag.Table("t", ag.MetaData(), {ag.Column("r", pg.INT4RANGE)})):compile{dialect = "sqlite"} end)
    end)
  end)
end
