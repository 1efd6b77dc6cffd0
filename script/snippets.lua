-- Runs the Lua blocks of Markdown files, each as a program of its own in an empty folder.
-- usage: script/lua script/snippets.lua FILE.md …
--
-- A comment on the line before a block says more:
--   <!-- snippet: skip REASON -->    the block is not a program; it is listed with its reason
--   <!-- snippet: continue -->       the block goes on where the one before it ended
--   <!-- snippet: postgresql -->     the block needs a server: skipped without ARGENT_PG_URL
-- Exit 1 if a block failed, 77 if there were blocks and none could be run.

local interpreter = arg[-1] or "lua5.4"

--- The blocks of a file: {first, last, code, mark, reason}; last is the line of the closing fence.
local function read_blocks(path)
  local blocks, open, mark, reason, number = {}, nil, nil, nil, 0
  for line in io.lines(path) do
    number = number + 1
    if open then
      if line:match("^%s*```%s*$") then
        open.last, open.code = number, table.concat(open.lines, "\n")
        blocks[#blocks + 1], open = open, nil
      else
        open.lines[#open.lines + 1] = line
      end
    elseif line:match("^%s*```lua%s*$") then
      open = {first = number, lines = {}, mark = mark, reason = reason}
      mark, reason = nil, nil
    elseif line:match("^<!%-%- *snippet:") then
      mark, reason = line:match("^<!%-%- *snippet: *(%a+) *(.-) *%-%->%s*$")
      if not mark then error(path .. ":" .. number .. ": cannot read this snippet comment") end
    elseif line:match("%S") then
      mark, reason = nil, nil
    end
  end
  if open then error(path .. ":" .. open.first .. ": the block has no end") end
  return blocks
end

--- Blocks joined into programs. Empty lines keep the line numbers of the document in error messages.
local function join(path, blocks)
  local programs = {}
  for _, block in ipairs(blocks) do
    local place = path .. ":" .. block.first
    local last = programs[#programs]
    if block.mark == "continue" then
      if not last then error(place .. ": there is no block to continue") end
      last.code = last.code .. ("\n"):rep(block.first - last.line) .. "\n" .. block.code
      last.line = block.last - 1
    elseif block.mark == nil or block.mark == "skip" or block.mark == "postgresql" then
      if block.mark == "skip" and block.reason == "" then error(place .. ": skipped without a reason") end
      programs[#programs + 1] = {place = place, mark = block.mark, reason = block.reason, line = block.last - 1,
        code = ("\n"):rep(block.first) .. block.code}
    else
      error(place .. ": unknown snippet mark " .. block.mark)
    end
  end
  return programs
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function run(path, program)
  local pipe = assert(io.popen("mktemp -d"))
  local dir = pipe:read("l")
  pipe:close()
  local name = path:match("[^/]+$")
  local file = assert(io.open(dir .. "/" .. name, "w"))
  file:write(program.code, "\n")
  file:close()
  local ok, _, code = os.execute(("cd %s && %s %s </dev/null >output 2>&1"):format(quote(dir), quote(interpreter), quote(name)))
  if ok then
    print("ok    " .. program.place)
  else
    print("FAIL  " .. program.place .. " (exit " .. tostring(code) .. ")")
    for line in io.lines(dir .. "/output") do print("      " .. line) end
  end
  os.execute("rm -rf " .. quote(dir))
  return ok
end

local ran, failed, skipped = 0, 0, 0
for _, path in ipairs(arg) do
  for _, program in ipairs(join(path, read_blocks(path))) do
    local reason = program.mark == "skip" and program.reason
      or program.mark == "postgresql" and not os.getenv("ARGENT_PG_URL") and "no PostgreSQL server"
    if reason then
      skipped = skipped + 1
      print("skip  " .. program.place .. ": " .. reason)
    else
      ran = ran + 1
      if not run(path, program) then failed = failed + 1 end
    end
  end
end
print(("snippets: %d ran, %d failed, %d skipped"):format(ran, failed, skipped))
os.exit(failed > 0 and 1 or ran == 0 and skipped > 0 and 77 or 0)
