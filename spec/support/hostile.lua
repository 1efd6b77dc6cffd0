-- Strings that break what is put together carelessly: quotes, comments, placeholders, encodings, lengths.
local list, seen = {}, {}
local function add(s)
  if not seen[s] then
    seen[s] = true
    list[#list + 1] = s
  end
end

-- ways out of a literal, a name, a comment, brackets … and what comes then
for _, out in ipairs{"", "'", '"', "''", "\\'", "\\\\'", "`", "]", "$$", "$a$", ")", "')", '")', "*/", "\n", "\0"} do
  for _, payload in ipairs{"; DROP TABLE victim; --", " OR 1=1 --", "; UPDATE victim SET secret = 'x'; --",
    " UNION SELECT secret FROM victim --", ", (SELECT secret FROM victim))--"} do
    add(out .. payload)
  end
end
for _, s in ipairs{
  "'", '"', "''", '""', "'''", "\\", "\\'", "\\\\", "`", "--", "/*", "*/", "/* ' */", ";", ";;", "$$", "$1", "$1$", "$2", "$999999999999", "?",
  "??", "?1",
  ":x", ":name", "::int", "\\:x", "@x", "%s", "%%", "%(name)s", "%n%n", "{0}", "{name}", "${name}", "#{name}", "%", "_", "%_%", "/%", "\\%",
  "E'\\x27'", "U&'\\0027'", "x'41'", "N'x'", "CHAR(39)", "0x27", "\\x27", "\\047", "&#39;", "%27", "&quot;", "\\u0027",
  "NULL", "null", "nil", "true", "DEFAULT", "0", "-1", "1e999", "NaN", "Infinity", "-0", "00", "1; SELECT 1", "1 OR 1=1", "1--",
  " ", "  ", "\t", "\n", "\r", "\r\n", "\v", "\f", "\b", "\27", "\127", " a", "a ", "a\nb", "a\rb", "a\0b", "\0", "a\0'; DROP TABLE victim; --",
  "\u{2BC}", "\u{2019}", "\u{FF07}", "\u{2032}", "\u{FF02}", "\u{201C}", "\u{A0}", "\u{200B}", "\u{200D}", "\u{202E}abc", "\u{FEFF}x",
  "\u{2028}", "\u{85}",
  "\u{1F600}", "e\u{301}", "\u{E9}", "\u{130}", "\u{DF}", "\u{10FFFF}", "\u{D7FF}", "日本語", "имя", "اسم",
  "\xff", "\xc0\xa7", "\xe0\x80\xa7", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xe2\x82", "a\xffb", "\x80", "\xbf'", "\xc2'", "\xe5'",
  "select", "SELECT", "table", "order by", "Select", "user", "group", "where", "from", "sqlite_master", "pg_catalog.pg_class", "a.b",
  '"a"."b"', "a,b",
  "(SELECT secret FROM victim)", "victim; DROP TABLE victim", "1; ATTACH 'x' AS y", "main.victim", "pg_sleep(9)", "randomblob(1000000000)",
  "COPY victim TO PROGRAM 'id'", "load_extension('x')", "../../etc/passwd", "file:///etc/passwd", "{}", "[]", '{"a":1}', '["x"]', "{1,2}",
  "{NULL}", "[1,2)",
  "(1,2)", "$.a", "$.\"a'\"", "a->>'b'", "^(a+)+$", "(", "[", "*", ".", "a|b", "<script>", "|", "||", "&&", "=", "= ANY", "!=", "~", "\\d",
} do add(s) end
for _, n in ipairs{62, 63, 64, 65, 256, 3000} do
  add(("n"):rep(n) .. "'")
  add(("é"):rep(n // 2) .. '"')
end
return list
