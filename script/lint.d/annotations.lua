-- Public Lua functions are documented for the language server: above `function M.name(a, b)`, `function M:name(…)` or
-- `M.name = function(…)`, where M is what the file returns, stands a line of text and one ---@param for each parameter.
-- Names that start with _ are private; ---@private or ---@see counts as documentation of its own.

local function returned_name(lines)
  for i = #lines, 1, -1 do
    local name = lines[i]:match("^return%s+([%a_][%w_]*)%s*$")
    if name then return name end
  end
end

--- The comment block that ends above line `number`: whether it has text, which parameters it names.
local function read_doc(lines, number)
  local doc = {params = {}}
  local i = number - 1
  while i > 0 and lines[i]:match("^%s*%-%-%-") do
    local param = lines[i]:match("^%s*%-%-%-@param%s+([%w_%.]+)")
    if param then
      doc.params[param] = true
    elseif lines[i]:match("^%s*%-%-%-@private") or lines[i]:match("^%s*%-%-%-@see") then
      doc.other = true
    elseif lines[i]:match("^%s*%-%-%-[^@%-]*%w") and not lines[i]:match("^%s*%-%-%-@") then
      doc.text = true
    end
    i = i - 1
  end
  return doc
end

local function check_function(file, number, name, params, doc, fail)
  if doc.other then return end
  if not doc.text then fail(file, number, name .. " has no line that says what it does (--- …)") end
  for param in params:gmatch("[%w_%.]+") do
    if not (doc.params[param] or param == "self" or param:sub(1, 1) == "_") then
      fail(file, number, ("%s: no ---@param %s"):format(name, param))
    end
  end
end

return function(tree, fail)
  for _, file in ipairs(tree.files("lua", "*.lua")) do
    local lines = tree.lines(file)
    local module = returned_name(lines)
    for number, line in ipairs(module and lines or {}) do
      local owner, name, params = line:match("^function%s+([%w_]+)[%.:]([%w_]+)%s*%(([^)]*)%)")
      if not owner then owner, name, params = line:match("^([%w_]+)%.([%w_]+)%s*=%s*function%s*%(([^)]*)%)") end
      if owner == module and name:sub(1, 1) ~= "_" then
        check_function(file, number, owner .. "." .. name, params, read_doc(lines, number), fail)
      end
    end
  end
end
