-- The main job: this machine's own package database, through declarative models, into a database file, in one session;
-- then questions asked of it with the ORM and with Core.
--
--   script/demo                      reads /var/lib/dpkg/status into a file in a temporary folder
--   script/demo --sql                the same, showing every statement
--   script/lua examples/packages.lua --database sqlite:///packages.db --package bash /path/to/a/status/file
local ag = require "argent"
local argparse = require "argparse"

local here = arg and arg[0] and arg[0]:match("^(.*)/") or "."
local SYSTEM_STATUS = "/var/lib/dpkg/status"
local SAMPLE_STATUS = here .. "/data/status-sample"

-- ── models ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

local Base = ag.declarative_base()

local depends = ag.Table("depends", Base.metadata, {
  ag.Column("package_id", ag.Integer, ag.ForeignKey("packages.id"), {primary_key = true}),
  ag.Column("dependency_id", ag.Integer, ag.ForeignKey("packages.id"), {primary_key = true, index = true}),
})

local Section = Base:model("Section", {
  __tablename = "sections",
  id = ag.mapped_column(ag.Integer, {primary_key = true}),
  name = ag.mapped_column(ag.String(60), {nullable = false, unique = true}),
  packages = ag.relationship("Package", {back_populates = "section"}),
})

local Maintainer = Base:model("Maintainer", {
  __tablename = "maintainers",
  id = ag.mapped_column(ag.Integer, {primary_key = true}),
  name = ag.mapped_column(ag.Text, {nullable = false}),
  email = ag.mapped_column(ag.String(200), {nullable = false, unique = true}),
  packages = ag.relationship("Package", {back_populates = "maintainer"}),
})

local Version = Base:model("Version", {
  __tablename = "versions",
  id = ag.mapped_column(ag.Integer, {primary_key = true}),
  package_id = ag.mapped_column(ag.ForeignKey("packages.id"), {nullable = false, index = true}),
  version = ag.mapped_column(ag.Text, {nullable = false}),
  architecture = ag.mapped_column(ag.String(20), {nullable = false}),
  installed_kib = ag.mapped_column(ag.Integer, {nullable = false, default = 0}),
  package = ag.relationship("Package", {back_populates = "versions"}),
})

-- A package that others depend on but that is not installed (or is only a name that others provide) has no versions.
local Package = Base:model("Package", {
  __tablename = "packages",
  id = ag.mapped_column(ag.Integer, {primary_key = true}),
  name = ag.mapped_column(ag.String(120), {nullable = false, unique = true}),
  summary = ag.mapped_column(ag.Text),
  essential = ag.mapped_column(ag.Boolean, {nullable = false, default = false}),
  section_id = ag.mapped_column(ag.ForeignKey("sections.id"), {index = true}),
  maintainer_id = ag.mapped_column(ag.ForeignKey("maintainers.id"), {index = true}),
  section = ag.relationship("Section", {back_populates = "packages"}),
  maintainer = ag.relationship("Maintainer", {back_populates = "packages"}),
  versions = ag.relationship("Version", {back_populates = "package", cascade = "all, delete-orphan", order_by = "Version.id"}),
  dependencies = ag.relationship("Package", {
    secondary = depends, back_populates = "dependents", order_by = "Package.name",
    primaryjoin = "Package.id:eq(depends.package_id)", secondaryjoin = "Package.id:eq(depends.dependency_id)",
  }),
  dependents = ag.relationship("Package", {
    secondary = depends, back_populates = "dependencies", order_by = "Package.name",
    primaryjoin = "Package.id:eq(depends.dependency_id)", secondaryjoin = "Package.id:eq(depends.package_id)",
  }),
})

-- ── reading a dpkg status file ─────────────────────────────────────────────────────────────────────────────────────────

--- Iterates over the stanzas of a Debian control file as tables of lower-case field names; continuation lines are joined
--- with newlines. The format: deb822(5).
local function stanzas(file)
  local lines = file:lines()
  return function()
    local fields, last
    for line in lines do
      local key, value = line:match("^([%w-]+):%s*(.-)%s*$")
      if key then
        fields = fields or {}
        last = key:lower()
        fields[last] = value
      elseif line:match("^%s") and last then
        fields[last] = fields[last] .. "\n" .. line
      elseif fields then
        return fields
      end
    end
    return fields
  end
end

--- The package names in a dependency field: "libc6 (>= 2.36), default-mta | mail-transport-agent" gives libc6, default-mta
--- and mail-transport-agent.
local function dependency_names(field)
  local names, seen = {}, {}
  for name in (field or ""):gmatch("[^,|]+") do
    name = name:match("^%s*([%w.+-]+)")
    if name and not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

--- Adds every installed package of the file to the session. Returns how many stanzas were read.
local function import(session, path, progress)
  local file = assert(io.open(path, "rb"))
  local sections, maintainers, packages, wanted = {}, {}, {}, {}

  local function find_or_make(cache, key, make)
    local object = cache[key]
    if not object then
      object = make()
      cache[key] = object
      session:add(object)
    end
    return object
  end
  local function package_named(name)
    return find_or_make(packages, name, function() return Package{name = name} end)
  end

  local count = 0
  for stanza in stanzas(file) do
    if stanza.package and (stanza.status or ""):match("installed$") then
      local package = package_named(stanza.package)
      local section = stanza.section or "unknown"
      local who, email = (stanza.maintainer or "nobody <nobody@localhost>"):match("^%s*(.-)%s*<(.-)>")
      package.summary = (stanza.description or ""):match("^[^\n]*")
      package.essential = stanza.essential == "yes"
      package.section = find_or_make(sections, section, function() return Section{name = section} end)
      if email then
        package.maintainer = find_or_make(maintainers, email, function() return Maintainer{name = who, email = email} end)
      end
      package.versions:append(Version{
        version = stanza.version or "0", architecture = stanza.architecture or "all",
        installed_kib = math.tointeger(stanza["installed-size"] or 0) or 0,
      })
      local field = (stanza["pre-depends"] or "") .. "," .. (stanza.depends or "")
      wanted[#wanted + 1] = {package = package, names = dependency_names(field)}
      count = count + 1
      progress("read", count)
    end
  end
  file:close()

  local linked = {} -- a package installed for two architectures names its dependencies twice
  for i, want in ipairs(wanted) do
    local seen = linked[want.package.name] or {}
    linked[want.package.name] = seen
    for _, name in ipairs(want.names) do
      if not seen[name] then
        seen[name] = true
        want.package.dependencies:append(package_named(name))
      end
    end
    progress("linked", i, #wanted)
  end
  return count
end

-- ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────────

local function heading(text) print("\n" .. text .. "\n" .. ("-"):rep(#text)) end

local function largest_sections(session)
  heading("Largest sections (ORM join, grouped)")
  local packages, mib = ag.func.count(Package.id:distinct()), ag.func.sum(Version.installed_kib)
  local stmt = ag.select(Section.name, packages:label("packages"), (mib / 1024.0):label("mib"))
    :join(Section.packages):join(Package.versions)
    :group_by(Section.name):order_by(mib:desc()):limit(5)
  for row in session:execute(stmt):rows() do
    print(("  %-14s %5d packages %9.1f MiB"):format(row.name, row.packages, row.mib))
  end
end

local function nobody_depends_on(session)
  heading("Installed packages that nobody depends on (relationship any)")
  local lonely = ag.select(Package):where(~Package.dependents:any(), Package.versions:any())
  local total = session:scalar(ag.select(ag.func.count()):select_from(lonely:subquery()))
  local names = {}
  for package in session:scalars(lonely:order_by(Package.name):limit(8)):rows() do
    names[#names + 1] = package.name
  end
  print(("  %d of them, for example: %s"):format(total, table.concat(names, ", ")))
end

local function dependency_closure(conn, name)
  heading(("Everything %s needs (Core, recursive CTE)"):format(name))
  local packages = Package.__table
  local needs = ag.select(packages.c.id, ag.literal(0):label("depth"))
    :where(packages.c.name:eq(name)):cte("needs", {recursive = true})
  needs = needs:union(
    ag.select(depends.c.dependency_id, needs.c.depth + 1)
      :join_from(needs, depends, depends.c.package_id:eq(needs.c.id)):where(needs.c.depth:lt(20)))
  local nearest = ag.func.min(needs.c.depth):label("nearest")
  local stmt = ag.select(packages.c.name, nearest)
    :join_from(needs, packages, packages.c.id:eq(needs.c.id))
    :group_by(packages.c.name):order_by(nearest, packages.c.name)
  local by_depth, deepest, total = {}, 0, 0
  for _, package, depth in conn:execute(stmt):tuples() do
    by_depth[depth] = by_depth[depth] or {}
    table.insert(by_depth[depth], package)
    deepest, total = math.max(deepest, depth), total + 1
  end
  for depth = 0, deepest do
    local names = by_depth[depth] or {}
    local more = #names > 6 and (" … %d more"):format(#names - 6) or ""
    print(("  %d: %s%s"):format(depth, table.concat(names, ", ", 1, math.min(6, #names)), more))
  end
  print(("  %d packages in all"):format(total))
end

local function most_wanted(session)
  heading("Most depended upon, with their maintainers (eager load)")
  local wanted = ag.select(depends.c.dependency_id, ag.func.count():label("n"))
    :group_by(depends.c.dependency_id):order_by(ag.func.count():desc(), depends.c.dependency_id):limit(5)
    :subquery("wanted")
  local stmt = ag.select(Package, wanted.c.n):join(wanted, wanted.c.dependency_id:eq(Package.id))
    :options(ag.joinedload(Package.maintainer), ag.selectinload(Package.versions))
    :order_by(wanted.c.n:desc(), Package.name)
  for row in session:execute(stmt):rows() do
    local package = row[1]
    local version = package.versions[1] and package.versions[1].version or "not installed"
    print(("  %-14s %5d  %-24s %s"):format(package.name, row.n, version,
      package.maintainer and package.maintainer.name or "-"))
  end
end

local function an_edit(session, name)
  heading(("An edit of %s and its flush"):format(name))
  local package = session:scalars(ag.select(Package):where(Package.name:eq(name))):one()
  package.summary = (package.summary or "") .. " (edited)"
  package.versions:append(Version{version = "99.0-1", architecture = "all"})
  local first = package.dependencies[1]
  if first then
    package.dependencies:remove(first)
  end
  print(("  before: %d dirty, %d new"):format(#session.dirty, #session.new))
  session:flush()
  print(("  after:  %d dirty, %d new; the new version has id %d"):format(#session.dirty, #session.new,
    package.versions[#package.versions].id))
  session:rollback()
  print(("  rolled back: the summary is %q again"):format(package.summary))
end

-- ── the program ────────────────────────────────────────────────────────────────────────────────────────────────────────

local function progress_line()
  local tty = os.getenv("TERM") and not os.getenv("CI")
  return function(what, n, of)
    if n % 250 == 0 or n == of then
      io.stderr:write(tty and "\r" or "", ("%s %d packages"):format(what, n), tty and "   " or "\n")
    end
  end
end

local function readable(path)
  local file = io.open(path, "rb")
  return file and file:close() and true or false
end

local parser = argparse("packages.lua", "Reads a dpkg status file through argent's ORM and asks it questions.")
parser:argument("status", "the status file (default: this machine's, else the sample)"):args("?")
parser:option("--database", "database URL", "sqlite://")
parser:option("--package", "the package to look at", "bash")
parser:flag("--sql", "show every statement")
local options = parser:parse()

local status = options.status or (readable(SYSTEM_STATUS) and SYSTEM_STATUS) or SAMPLE_STATUS
local engine = ag.create_engine(options.database, {echo = options.sql})
Base.metadata:drop_all(engine)
Base.metadata:create_all(engine)
local Session = ag.sessionmaker(engine)

local started = os.clock()
Session:begin(function(session)
  local progress = progress_line()
  local count = import(session, status, progress)
  io.stderr:write(("\nflushing %d new objects …\n"):format(#session.new))
  session:flush()
  print(("%s: %d installed packages in %.2f s of processor time"):format(status, count, os.clock() - started))
end)

local session <close> = Session()
local name = options.package
if not session:scalar(ag.select(Package.id):where(Package.name:eq(name))) then
  name = session:scalar(ag.select(Package.name):where(Package.dependencies:any()):order_by(Package.name):limit(1))
end
largest_sections(session)
nobody_depends_on(session)
dependency_closure(session:connection(), name)
most_wanted(session)
an_edit(session, name)
