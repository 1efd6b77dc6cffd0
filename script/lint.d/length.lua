-- Files stay under 600 lines, C functions under 60. Tests and tables of data (*.def, golden) may be longer.
local MAX_FILE, MAX_FUNCTION = 600, 60

local function exempt(file)
  return file:match("^spec/") or file:match("^csrc/test/") or file:match("^csrc/fuzz/") or file:match("%.def$")
end

local function check_functions(tree, fail, sources)
  if #sources == 0 then return end
  local lines, ok = tree.run("ctags -x --kinds-c=f --fields=+e --_xformat='%F\t%n\t%e\t%N' " .. tree.quote(sources))
  if not ok then fail("ctags", nil, "failed: " .. table.concat(lines, " ")) end
  for _, line in ipairs(lines) do
    local file, first, last, name = line:match("^([^\t]+)\t(%d+)\t(%d+)\t(.*)$")
    local length = file and last - first + 1
    if length and length > MAX_FUNCTION then
      fail(file, first, ("%s has %d lines, %d are allowed"):format(name, length, MAX_FUNCTION))
    end
  end
end

return function(tree, fail)
  local sources = {}
  for _, pattern in ipairs{"*.c", "*.h", "*.lua"} do
    for _, file in ipairs(tree.files("csrc lua spec examples bench script cmake types", pattern)) do
      if not exempt(file) then
        local count = #tree.lines(file)
        if count > MAX_FILE then fail(file, nil, ("%d lines, %d are allowed"):format(count, MAX_FILE)) end
        if not file:match("%.lua$") then sources[#sources + 1] = file end
      end
    end
  end
  check_functions(tree, fail, sources)
end
