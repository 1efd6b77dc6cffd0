std = "lua54"
max_line_length = 150
cache = false
-- Methods that do not use self, and arguments that a hook's signature demands, are said with _.
self = false

files["spec"] = {std = "lua54+busted"}
-- Data: a case is one line.
files["spec/golden"] = {std = "lua54+busted", max_line_length = false, ignore = {"431"}}
files["types"] = {ignore = {"1", "2", "6"}}
files[".luacheckrc"] = {std = "lua54+luacheckrc"}
