--- Strings in relationships that name what is not defined yet: "Post", "Post.id:desc()", "User.id:eq(posts.c.author_id) & …". A small
--- parser of its own: nothing is ever given to `load`.
---
--- Grammar: or := and {"|" and}; and := unary {"&" unary}; unary := "~" unary | comparison; comparison := primary [op primary];
--- primary := literal | "(" or ")" | name {"." name | ":" name "(" [or {"," or}] ")"}; op: == ~= != < <= > >=
local core = require "argent.core"

local M = {}

local function fail(p, what)
  core.exc_raise("ArgumentError", ("%s: in the text %q, at position %d: %s"):format(p.where, p.text, p.at, what))
end

local symbols = {"==", "~=", "!=", "<=", ">=", "<", ">", "&", "|", "~", "(", ")", ",", ".", ":", "[", "]", "-"}

local function next_token(p)
  local _, stop = p.text:find("^%s*", p.pos)
  p.pos = stop + 1
  p.at = p.pos
  p.kind, p.value = nil, nil
  if p.pos > #p.text then return end
  local name = p.text:match("^[%a_][%w_]*", p.pos)
  if name then
    p.kind, p.value, p.pos = "name", name, p.pos + #name
    return
  end
  local number = p.text:match("^%d+%.?%d*", p.pos)
  if number then
    p.kind, p.value, p.pos = "number", math.tointeger(number) or tonumber(number), p.pos + #number
    return
  end
  local quote = p.text:match("^['\"]", p.pos)
  if quote then
    local stop_at = p.text:find(quote, p.pos + 1, true)
    if not stop_at then fail(p, "the quote is not closed") end
    p.kind, p.value, p.pos = "string", p.text:sub(p.pos + 1, stop_at - 1), stop_at + 1
    return
  end
  for _, symbol in ipairs(symbols) do
    if p.text:sub(p.pos, p.pos + #symbol - 1) == symbol then
      p.kind, p.value, p.pos = "symbol", symbol, p.pos + #symbol
      return
    end
  end
  fail(p, "unexpected character")
end

local function accept(p, symbol)
  if p.kind == "symbol" and p.value == symbol then
    next_token(p)
    return true
  end
  return false
end

local function expect(p, symbol)
  if not accept(p, symbol) then fail(p, ("expected '%s'"):format(symbol)) end
end

local parse_or

local function parse_arguments(p)
  local args = {}
  if accept(p, ")") then return args end
  repeat args[#args + 1] = parse_or(p) until not accept(p, ",")
  expect(p, ")")
  return args
end

local function take_name(p)
  if p.kind ~= "name" then fail(p, "expected a name") end
  local name = p.value
  next_token(p)
  return name
end

local constants = {["true"] = true, ["false"] = false}

-- foreign(column), remote(column): annotations of join conditions
local function parse_annotation(p, name)
  expect(p, "(")
  local value = parse_or(p)
  expect(p, ")")
  local list = p.notes[name]
  list[#list + 1] = value
  return value
end

local function parse_path(p, name)
  if p.notes[name] and p.kind == "symbol" and p.value == "(" then return parse_annotation(p, name) end
  local value = p.lookup(name)
  if value == nil then fail(p, ("there is no class or table '%s'%s"):format(name, p.hint(name))) end
  while p.kind == "symbol" do
    if accept(p, ".") then
      value = value[take_name(p)]
    elseif accept(p, ":") then
      local method = take_name(p)
      expect(p, "(")
      local args = parse_arguments(p)
      value = value[method](value, table.unpack(args))
    else
      break
    end
  end
  return value
end

local function parse_primary(p)
  local kind, value = p.kind, p.value
  if kind == "number" or kind == "string" then
    next_token(p)
    return value
  elseif accept(p, "-") then
    return -parse_primary(p)
  elseif accept(p, "(") then
    local inner = parse_or(p)
    expect(p, ")")
    return inner
  elseif kind == "name" then
    next_token(p)
    if constants[value] ~= nil then return constants[value] end
    return parse_path(p, value)
  end
  return fail(p, kind and "expected a class, a table or a value" or "the text ends too early")
end

local operators = {["=="] = "eq", ["~="] = "ne", ["!="] = "ne", ["<"] = "lt", ["<="] = "le", [">"] = "gt", [">="] = "ge"}

local function parse_comparison(p)
  local left = parse_primary(p)
  local method = p.kind == "symbol" and operators[p.value]
  if not method then return left end
  next_token(p)
  return left[method](left, parse_primary(p))
end

local function parse_unary(p)
  if accept(p, "~") then return ~parse_unary(p) end
  return parse_comparison(p)
end

local function parse_and(p)
  local left = parse_unary(p)
  while accept(p, "&") do left = left & parse_unary(p) end
  return left
end

function parse_or(p)
  local left = parse_and(p)
  while accept(p, "|") do left = left | parse_and(p) end
  return left
end

local function start(text, where, scope)
  local p = {text = text, pos = 1, where = where, lookup = scope.lookup, hint = scope.hint,
    notes = {foreign = {}, remote = {}}}
  next_token(p)
  return p
end

--- The value of a text. scope: {lookup = function(name) → class or columns, hint = function(name) → string}.
--- Returns the value and {foreign = {…}, remote = {…}}, the columns in these annotations.
---@param text string
---@param where any
---@param scope any
function M.eval(text, where, scope)
  local p = start(text, where, scope)
  local value = parse_or(p)
  if p.kind then fail(p, "unexpected text behind the expression") end
  return value, p.notes
end

--- A list: "a, b" or "[a, b]".
---@param text string
---@param where any
---@param scope any
function M.eval_list(text, where, scope)
  local p = start(text, where, scope)
  local bracket = accept(p, "[")
  local list = {}
  repeat list[#list + 1] = parse_or(p) until not accept(p, ",")
  if bracket then expect(p, "]") end
  if p.kind then fail(p, "unexpected text behind the list") end
  return list
end

return M
