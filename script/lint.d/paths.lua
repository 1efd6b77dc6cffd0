-- Nothing that is committed names the machine it was written on: no home folder, not the place of this checkout.

--- Where the checkout is, cut to two components, unless that is a place every system has.
local function checkout(tree)
  local here = tree.run("pwd -P")[1]
  local first, second = here:match("^/([^/]+)/([^/]+)")
  local common = {usr = true, tmp = true, var = true, opt = true, home = true, root = true, srv = true, mnt = true,
    app = true, src = true, data = true, build = true, builds = true, workspace = true}
  if first and not common[first] then return {"/" .. first .. "/" .. second, "/" .. first .. "/"} end
  return {}
end

return function(tree, fail)
  local forbidden = {"/home/%w", "/root/%w", "/Users/%w"}
  for _, path in ipairs(checkout(tree)) do forbidden[#forbidden + 1] = path:gsub("%p", "%%%0") end
  local files, ok = tree.run("git ls-files -co --exclude-standard")
  if not ok then return end -- not a checkout, e.g. an unpacked archive
  for _, file in ipairs(files) do
    local handle = file ~= "script/lint.d/paths.lua" and io.open(file, "rb")
    local text = handle and handle:read("a") or ""
    if handle then handle:close() end
    local number = 0
    for line in (text:find("\0", 1, true) and "" or text):gmatch("([^\n]*)\n?") do
      number = number + 1
      for _, pattern in ipairs(forbidden) do
        local from = line:find("%f[%w/~.]" .. pattern)
        if from then
          fail(file, number, "names a path of one machine: " .. line:sub(from, from + 40))
          break
        end
      end
    end
  end
end
