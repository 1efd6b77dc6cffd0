-- Who may include whom: an include is an edge, and edges point down the table of docs/ARCHITECTURE.md. Also: which files may
-- see Lua's and the client libraries' headers, and that headers include each other without a cycle.

local MAY = {
  base = {},
  value = {"base"},
  sql = {"base", "value"},
  schema = {"base", "value", "sql"},
  compile = {"base", "value", "sql", "schema"},
  dialect = {"base", "value", "sql", "schema", "compile"},
  driver = {"base", "value"},
  engine = {"base", "value", "sql", "schema", "compile", "dialect", "driver"},
  orm = {"base", "value", "sql", "schema", "engine"},
  binding = {"base", "value", "sql", "schema", "compile", "engine", "orm"},
}
-- Interfaces that live in a layer whose insides are not to be seen from here.
local ALSO = {binding = {["driver/driver.h"] = true, ["driver/drivers.h"] = true}}
local FREE = {test = true, fuzz = true} -- tests may look into everything

-- Headers of others: who may include them.
local OUTSIDE = {
  {headers = {"lua.h", "lauxlib.h", "lualib.h", "luaconf.h"}, by = {"^csrc/binding/", "^csrc/test/lua/"}, whom = "binding/"},
  {headers = {"sqlite3.h"}, by = {"^csrc/driver/sqlite3[%w_]*%.[ch]$", "^csrc/test/test_sqlite"}, whom = "driver/sqlite3*"},
  {headers = {"libpq-fe.h", "libpq-events.h"}, by = {"^csrc/driver/pq[%w_]*%.[ch]$", "^csrc/test/test_pq"},
    whom = "driver/pq*"},
}

local function allowed(from, target, layer)
  if layer == from or FREE[from] then return true end
  for _, other in ipairs(MAY[from]) do
    if other == layer then return true end
  end
  return (ALSO[from] or {})[target] or false
end

local function check_quoted(file, number, target, fail)
  local from, layer = file:match("^csrc/([^/]+)/"), target:match("^([^/]+)/")
  if not layer then
    if not FREE[from] then fail(file, number, ('write the layer: "%s/%s"'):format(from, target)) end
  elseif not (MAY[layer] or FREE[layer]) then
    fail(file, number, ("%s: there is no layer %s"):format(target, layer))
  elseif FREE[layer] and not FREE[from] then
    fail(file, number, ("%s includes test code: %s"):format(from, target))
  elseif not allowed(from, target, layer) then
    fail(file, number, ("%s may not include %s (%s)"):format(from, layer, target))
  end
end

local function check_outside(file, number, header, fail)
  for _, rule in ipairs(OUTSIDE) do
    for _, name in ipairs(rule.headers) do
      if header == name then
        for _, pattern in ipairs(rule.by) do
          if file:match(pattern) then return end
        end
        fail(file, number, ("only %s may include <%s>"):format(rule.whom, name))
      end
    end
  end
end

--- Depth-first over the headers; a header met while it is open closes a cycle.
local function find_cycles(edges, fail)
  local state = {}
  local function visit(header, path)
    state[header] = "open"
    path[#path + 1] = header
    for _, target in ipairs(edges[header] or {}) do
      if state[target] == "open" then
        fail("csrc/" .. header, nil, "include cycle: " .. table.concat(path, " -> ") .. " -> " .. target)
      elseif not state[target] then
        visit(target, path)
      end
    end
    path[#path] = nil
    state[header] = "done"
  end
  local headers = {}
  for header in pairs(edges) do headers[#headers + 1] = header end
  table.sort(headers)
  for _, header in ipairs(headers) do
    if not state[header] then visit(header, {}) end
  end
end

return function(tree, fail)
  local edges = {}
  for _, file in ipairs(tree.files("csrc", "*.[chd]*")) do
    local from = file:match("^csrc/([^/]+)/")
    if not (from and (MAY[from] or FREE[from])) then
      fail(file, nil, "is in no layer")
    elseif file:match("%.[ch]$") or file:match("%.def$") then
      local header = file:match("%.h$") and file:sub(6)
      if header then edges[header] = {} end
      for number, line in ipairs(tree.lines(file)) do
        local quoted = line:match('^%s*#%s*include%s*"([^"]+)"')
        local angled = line:match("^%s*#%s*include%s*<([^>]+)>")
        if quoted then check_quoted(file, number, quoted, fail) end
        if quoted or angled then check_outside(file, number, quoted or angled, fail) end
        if header and quoted then table.insert(edges[header], quoted) end
      end
    end
  end
  find_cycles(edges, fail)
end
