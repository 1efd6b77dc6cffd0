--- What a PostgreSQL database consists of, as sorted lines of text: two databases are equal when these are. Left out is what two
--- ways of declaring one thing differ in: names of identity sequences, owners of sequences, whether an inherited column is also
--- declared locally, the copies of a foreign key for the partitions it refers to.
local M = {}

local schemas = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
local ours = "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = %s AND d.deptype = 'e')"

local queries = {
  [[SELECT format('table %I.%I %s %s with(%s) am=%s partition=%s bound=%s comment=%s', n.nspname, c.relname, c.relkind,
      c.relpersistence, (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(c.reloptions) o), am.amname,
      CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, pg_get_expr(c.relpartbound, c.oid),
      obj_description(c.oid, 'pg_class'))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am am ON am.oid = c.relam
    WHERE c.relkind IN ('r', 'p') AND ]] .. schemas,
  [[SELECT format('column %I.%I %s %I %s null=%s default=%s identity=%s generated=%s collation=%s dims=%s comment=%s seq=%s',
      n.nspname, c.relname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
      format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(ad.adbin, ad.adrelid), a.attidentity, a.attgenerated,
      CASE WHEN a.attcollation <> t.typcollation THEN co.collname END, a.attndims, col_description(c.oid, a.attnum),
      CASE WHEN a.attidentity <> '' THEN (SELECT format('%s %s %s %s %s %s', s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
        s.seqcycle) FROM pg_sequence s WHERE s.seqrelid = pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname),
        a.attname)::regclass) END)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef ad ON ad.adrelid = c.oid AND ad.adnum = a.attnum
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND ]] .. schemas,
  [[SELECT format('constraint %I.%I %I %s%s comment=%s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid),
      CASE WHEN k.conparentid <> 0 THEN ' of partition' END, obj_description(k.oid, 'pg_constraint'))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid) AND ]] .. schemas,
  [[SELECT format('index %s with(%s)', regexp_replace(pg_get_indexdef(i.indexrelid), ' WITH \([^)]*\)', ''),
      (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(x.reloptions) o))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND ]] .. schemas,
  [[SELECT format('inherits %s %s %s', h.inhrelid::regclass, h.inhparent::regclass, h.inhseqno)
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ]] .. schemas,
  [[SELECT format('enum %I.%I %s', n.nspname, t.typname, (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
      FROM pg_enum e WHERE e.enumtypid = t.oid))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND ]] .. ours:format "t.oid" .. " AND " .. schemas,
  [[SELECT format('domain %I.%I %s null=%s default=%s collation=%s dims=%s', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
      NOT t.typnotnull, t.typdefault, CASE WHEN t.typcollation <> b.typcollation THEN co.collname END, t.typndims)
    FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_collation co ON co.oid = t.typcollation WHERE t.typtype = 'd' AND ]] .. ours:format "t.oid" .. " AND " .. schemas,
  [[SELECT format('domain check %I.%I %I %s', n.nspname, t.typname, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ]] .. schemas,
  [[SELECT format('sequence %I.%I %s %s %s %s %s %s %s', n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
      s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = s.seqrelid AND d.deptype = 'i') AND ]] .. schemas,
}

--- The lines of a connection's database. The search path is emptied for it, so that every name has its schema.
---@param conn argent.Connection
---@return string[]
function M.lines(conn)
  local out = {}
  conn:exec_driver_sql "SET search_path = pg_catalog"
  for _, sql in ipairs(queries) do
    for line in conn:exec_driver_sql(sql):scalars():rows() do out[#out + 1] = line end
  end
  conn:exec_driver_sql "RESET search_path"
  table.sort(out)
  return out
end

--- Lines that only one of two lists has, with "- " and "+ " before them.
---@param a string[]
---@param b string[]
---@return string[]
function M.difference(a, b)
  local count, out = {}, {}
  for _, line in ipairs(b) do count[line] = (count[line] or 0) + 1 end
  for _, line in ipairs(a) do
    if (count[line] or 0) > 0 then count[line] = count[line] - 1 else out[#out + 1] = "- " .. line end
  end
  for _, line in ipairs(b) do
    if (count[line] or 0) > 0 then
      count[line] = count[line] - 1
      out[#out + 1] = "+ " .. line
    end
  end
  return out
end

return M
