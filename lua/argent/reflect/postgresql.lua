--- Reflection of PostgreSQL, from pg_catalog. Each function runs one query for all tables it is asked about (columns with enums or
--- domains: up to two more).
local M = {
  --- Options that reflection takes from those of a Table.
  reflection_options = {postgresql_ignore_search_path = true},
}

for _, part in ipairs{"names", "types", "columns", "constraints", "indexes", "tables"} do
  for name, fn in pairs(require("argent.reflect.postgresql." .. part)) do
    if name:find("^get_") or name:find("^has_") or name == "default_schema_name" then M[name] = fn end
  end
end

return M
