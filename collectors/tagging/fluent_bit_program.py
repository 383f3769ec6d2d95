"""What the program of Fluent Bit does, in Lua 5.1 as LuaJIT has it."""

PROGRAM = r"""
local byte, sub, find = string.byte, string.sub, string.find
local MOST_FIELDS = 256

-- The matcher: a tree becomes functions that are given what comes after them.

local compile

local function set_of(node)
  local set, negated = {}, node[2]
  for code = 0, 255 do set[code] = negated end
  for at = 3, #node, 2 do
    for code = node[at], node[at + 1] do set[code] = not negated end
  end
  return set
end

local function repeated_set(set, least, most, after)
  return function(text, at, found)
    local last = at
    while (most == nil or last - at < most) and set[byte(text, last)] do last = last + 1 end
    for stop = last, at + least, -1 do
      local result = after(text, stop, found)
      if result then return result end
    end
    return nil
  end
end

local function repeated(part, least, most, after)
  local count, before, body = 0, 0, nil
  local function again(text, at, found)
    local had, was = count, before
    if (most == nil or had < most) and (had < least or at > was) then
      count, before = had + 1, at
      local result = body(text, at, found)
      count, before = had, was
      if result then return result end
    end
    if had < least then return nil end
    return after(text, at, found)
  end
  body = compile(part, again)
  return function(text, at, found)
    local had, was = count, before
    count, before = 0, 0
    local result = again(text, at, found)
    count, before = had, was
    return result
  end
end

local function chosen(node, after)
  local ways = {}
  for at = 2, #node do ways[at - 1] = compile(node[at], after) end
  return function(text, at, found)
    for number = 1, #ways do
      local result = ways[number](text, at, found)
      if result then return result end
    end
    return nil
  end
end

local function captured(node, after)
  local inner = compile(node[2], function(text, at, found)
    local was = found.last
    found.last = at - 1
    local result = after(text, at, found)
    if not result then found.last = was end
    return result
  end)
  return function(text, at, found)
    local was = found.first
    found.first = at
    local result = inner(text, at, found)
    if not result then found.first = was end
    return result
  end
end

function compile(node, after)
  local kind = node[1]
  if kind == "seq" then
    for at = #node, 2, -1 do after = compile(node[at], after) end
    return after
  elseif kind == "any" then
    return chosen(node, after)
  elseif kind == "group" then
    return captured(node, after)
  elseif kind == "rep" then
    if node[2][1] == "set" then return repeated_set(set_of(node[2]), node[3], node[4], after) end
    return repeated(node[2], node[3], node[4], after)
  elseif kind == "start" then
    return function(text, at, found) return at == 1 and after(text, at, found) or nil end
  elseif kind == "end" then
    return function(text, at, found) return at > #text and after(text, at, found) or nil end
  elseif kind == "text" then
    local wanted = node[2]
    return function(text, at, found)
      if sub(text, at, at + #wanted - 1) ~= wanted then return nil end
      return after(text, at + #wanted, found)
    end
  end
  local set = set_of(node)
  return function(text, at, found)
    local code = byte(text, at)
    if code and set[code] then return after(text, at + 1, found) end
    return nil
  end
end

-- The first place where it matches, the place after it, and what its group holds.
local function searcher(node)
  local whole = compile(node, function(_, at) return at end)
  return function(text, from)
    for at = from or 1, #text + 1 do
      local found = {}
      local after = whole(text, at, found)
      if after then return at, after, found.first and sub(text, found.first, found.last) end
    end
    return nil
  end
end

local secrets, in_text = {}, {}
for at, node in ipairs(SECRETS) do secrets[at] = searcher(node) end
local private_key = PRIVATE and searcher(PRIVATE)
local level_in, time_in = searcher(LEVEL), searcher(TIME)
for name, source in pairs(SOURCES) do
  in_text[name] = {}
  for _, key in ipairs({"trace_in", "span_in", "pods", "path"}) do
    if source[key] then in_text[name][key] = searcher(source[key]) end
  end
end

local function as_set(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

local claims, reserved = as_set(CLAIMS), as_set(RESERVED)

local function masked(text)
  for _, search in ipairs(secrets) do
    local parts, from = {}, 1
    local at, after = search(text, from)
    while at do
      parts[#parts + 1] = sub(text, from, at - 1) .. (after > at and MASK or sub(text, at, at))
      from = after > at and after or at + 1
      if from > #text then break end
      at, after = search(text, from)
    end
    if #parts > 0 then text = table.concat(parts) .. sub(text, from) end
  end
  return text
end

local function clean(value, name)
  if private_key and private_key(name:lower()) then return MASK end
  if type(value) == "string" then return masked(value) end
  if type(value) ~= "table" then return value end
  local found = {}
  for key, part in pairs(value) do
    found[key] = clean(part, type(key) == "string" and key or "")
  end
  return found
end

-- JSON: a line that is none gives nil.

local value_at
local ESCAPED = {b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then
    return string.char(0xC0 + math.floor(code / 0x40), 0x80 + code % 0x40)
  end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 0x1000),
      0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return string.char(0xF0 + math.floor(code / 0x40000), 0x80 + math.floor(code / 0x1000) % 0x40,
    0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

local function text_at(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = find(text, '["\\]', at)
    if not stop then error("no end of a text", 0) end
    parts[#parts + 1] = sub(text, at, stop - 1)
    if sub(text, stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local letter = sub(text, stop + 1, stop + 1)
    at = stop + 2
    if letter == "u" then
      local code = tonumber(sub(text, at, at + 3), 16)
      if not code then error("no character", 0) end
      at = at + 4
      local low = code >= 0xD800 and code < 0xDC00 and sub(text, at, at + 1) == "\\u"
        and tonumber(sub(text, at + 2, at + 5), 16)
      if low and low >= 0xDC00 and low < 0xE000 then
        code, at = 0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00, at + 6
      end
      if code >= 0xD800 and code < 0xE000 then code = 0xFFFD end
      parts[#parts + 1] = utf8_of(code)
    else
      parts[#parts + 1] = ESCAPED[letter] or letter
    end
  end
end

local function members_at(text, at, depth, close, keyed)
  local found = {}
  at = find(text, "%S", at + 1)
  if sub(text, at, at) == close then return found, at + 1 end
  while true do
    local key = #found + 1
    if keyed then
      if sub(text, at, at) ~= '"' then error("no name", 0) end
      key, at = text_at(text, at)
      at = find(text, "%S", at)
      if sub(text, at, at) ~= ":" then error("no value", 0) end
      at = find(text, "%S", at + 1)
    end
    local value
    value, at = value_at(text, at, depth + 1)
    if value ~= nil then found[key] = value end
    at = find(text, "%S", at)
    local sign = sub(text, at, at)
    if sign == close then return found, at + 1 end
    if sign ~= "," then error("no end", 0) end
    at = find(text, "%S", at + 1)
  end
end

function value_at(text, at, depth)
  if depth > 64 or not at then error("no value", 0) end
  local sign = sub(text, at, at)
  if sign == "{" then return members_at(text, at, depth, "}", true) end
  if sign == "[" then return members_at(text, at, depth, "]", false) end
  if sign == '"' then return text_at(text, at) end
  for word, value in pairs({["true"] = true, ["false"] = false}) do
    if sub(text, at, at + #word - 1) == word then return value, at + #word end
  end
  if sub(text, at, at + 3) == "null" then return nil, at + 4 end
  local first, last = find(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local number = first and tonumber(sub(text, first, last))
  if not number then error("no value", 0) end
  return number, last + 1
end

local function json(text)
  local at = find(text, "%S")
  if not at or sub(text, at, at) ~= "{" then return nil end
  local good, value, after = pcall(value_at, text, at, 1)
  if not good or find(text, "%S", after) then return nil end
  return value
end

-- Fields of a line, and their places in a document.

local function flatten(value, prefix, found)
  for key, part in pairs(value) do
    if type(part) == "table" and #part == 0 and next(part) ~= nil then
      flatten(part, prefix .. key .. ".", found)
    else
      found[prefix .. key] = part
    end
  end
  return found
end

local function logfmt(text)
  local found = {}
  if not find(text, "^[^ =]+=") then return found end
  local at = 1
  while true do
    local _, stop, name = find(text, "([^ =]+)=", at)
    if not stop then return found end
    at = stop + 1
    if sub(text, at, at) == '"' then
      local good, value, after = pcall(text_at, text, at)
      if not good then return found end
      found[name], at = value, after
    else
      local _, last, value = find(text, "^([^ ]*)", at)
      found[name], at = value, last + 1
    end
  end
end

local function plain(name, source, text)
  local found = {}
  local function put(field, search, within)
    local _, _, value = search(within)
    if value then found[field] = value end
  end
  put(source.trace[1], in_text[name].trace_in, text)
  put(source.span[1], in_text[name].span_in, text)
  put(source.time[1], time_in, text)
  if source.level then put(LEVELS[1], level_in, sub(text, 1, LEVEL_WITHIN)) end
  return found
end

local function told(name, source, text)
  if source.format == "json" then
    local value = json(text)
    return value and flatten(value, "", {}) or {}
  end
  if source.format == "logfmt" then return logfmt(text) end
  return plain(name, source, text)
end

local function is_claim(name)
  if claims[name] then return true end
  for _, prefix in ipairs(CLAIMED) do
    if sub(name, 1, #prefix) == prefix then return true end
  end
  return false
end

local function take(fields, names, fits)
  for _, name in ipairs(names) do
    local value = fields[name]
    if value ~= nil and fits(value) then
      fields[name] = nil
      return value
    end
  end
  return nil
end

local function is_text(value) return type(value) == "string" end
local function is_one(value) return type(value) ~= "table" end

local function identifier(fields, names, digits)
  local value = take(fields, names, function(each)
    return is_text(each) and #each == digits and find(each, "^%x+$") and not find(each, "^0+$")
  end)
  return value and value:lower()
end

local function days(year, month, day)
  -- Days since 1970 in the Gregorian calendar, whose years end with February here.
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100)
    + of_year - 719468
end

local function instant(value)
  if type(value) == "number" then
    if value >= 1e18 then return value / 1e9 end
    if value >= 1e15 then return value / 1e6 end
    if value >= 1e12 then return value / 1e3 end
    return value >= 1e9 and value or nil
  end
  if type(value) ~= "string" then return nil end
  local year, month, day, hour, minute, second, rest =
    value:match("^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d)(.*)$")
  if not year then return nil end
  local part, zone = rest:match("^[.,](%d+)(.*)$")
  local sign, ahead, more = (zone or rest):match("^([+-])(%d%d):?(%d%d)$")
  if not sign and (zone or rest) ~= "Z" then return nil end
  local shift = sign and (tonumber(ahead) * 3600 + tonumber(more) * 60) or 0
  if sign == "-" then shift = -shift end
  return days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + tonumber(hour) * 3600
    + tonumber(minute) * 60 + tonumber(second) - shift + tonumber("0." .. (part or "0"))
end

local function is_here(source, name)
  if #source.hosts == 0 then return true end
  for _, each in ipairs(source.hosts) do
    if each == name then return true end
  end
  return name == "" and not source.strict
end

local function pod_of(path)
  local names, container = tostring(path or ""):match("([^/]*)/([^/]*)/[^/]*$")
  local namespace, pod, uid = (names or ""):match("^([^_]*)_([^_]*)_?(.*)$")
  return {namespace = namespace, name = pod or "", uid = uid, container = container}
end

local function owns_pod(name, source, pod, labels)
  if source.kind ~= "pods" or source.pod_namespace ~= pod.namespace then return false end
  if source.container and source.container ~= pod.container then return false end
  if source.pods then return in_text[name].pods(pod.name) ~= nil end
  for key, value in pairs(source.labels) do
    if labels[key] ~= value then return false end
  end
  return true
end

local function owner_of_pod(pod, labels)
  for _, name in ipairs(ORDER) do
    if owns_pod(name, SOURCES[name], pod, labels) then return name end
  end
  return nil
end

local function owner_of_message(program, sender)
  for _, name in ipairs(ORDER) do
    local source = SOURCES[name]
    if source.kind == "syslog" and source.program == program and is_here(source, sender) then
      return name
    end
  end
  return nil
end

-- What the source itself knows of a record: its text, fields, and whose it is; false: nobody's.
local function known(name, record)
  local host = os.getenv(HOST) or ""
  local source = SOURCES[name]
  if name == "syslog" then
    local number = tonumber(record.pri or "")
    return owner_of_message(record.ident, record.host or "") or false, record.message or "", {
      ["host.hostname"] = record.host, ["process.name"] = record.ident,
      ["log.level"] = number and PRIORITIES[number % 8 + 1]
    }
  elseif source.kind == "journal" then
    local unit = record._SYSTEMD_UNIT or record.UNIT
    if unit ~= source.unit and unit ~= source.unit .. ".service" then return nil end
    return name, record.MESSAGE or "", {
      ["host.hostname"] = record._HOSTNAME, ["systemd.unit"] = unit,
      ["log.level"] = PRIORITIES[(tonumber(record.PRIORITY or "") or 6) + 1]
    }
  end
  local path = record["log.file.path"]
  local meta = {["log.file.path"] = path, ["host.hostname"] = host ~= "" and host or nil}
  if source.kind == "file" then
    if not is_here(source, host) then return nil end
    if in_text[name].path and not in_text[name].path(path or "") then return nil end
    return name, record.log or "", meta
  end
  local pod = pod_of(path)
  local labels = record.kubernetes and record.kubernetes.labels or {}
  if owner_of_pod(pod, labels) ~= name then return nil end
  meta["kubernetes.namespace"], meta["kubernetes.pod.name"] = pod.namespace, pod.name
  meta["kubernetes.pod.uid"], meta["kubernetes.container.name"] = pod.uid, pod.container
  return name, record.log or "", meta
end

local function lift(source, fields, found)
  found["trace.id"] = identifier(fields, source.trace, 32)
  found["span.id"] = identifier(fields, source.span, 16)
  local version = take(fields, {"service.version", "version"}, is_text)
  found["service.version"] = version and masked(version)
  local at = take(fields, source.time, function(value) return instant(value) ~= nil end)
  return at and instant(at)
end

local function put_rest(fields, found)
  local names = {}
  for key in pairs(fields) do names[#names + 1] = key end
  table.sort(names)
  for number = 1, math.min(#names, MOST_FIELDS) do
    local key = names[number]
    local place = reserved[key] and "labels." .. key or key
    if found[place] == nil then found[place] = clean(fields[key], key) end
  end
end

local function document(name, text, meta)
  local source = name and SOURCES[name]
  local fields = source and told(name, source, text) or {}
  for key in pairs(fields) do
    if is_claim(key) then fields[key] = nil end
  end
  local found, at = meta, nil
  if source then at = lift(source, fields, found) end
  local level = take(fields, LEVELS, is_one)
  if level ~= nil then found["log.level"] = masked(tostring(level)) end
  found["message"] = masked(take(fields, MESSAGES, is_text) or text)
  put_rest(fields, found)
  for key, value in pairs(source and source.tags or NOBODY) do found[key] = value end
  return found, at
end

-- Called with every record; -1 drops it, 1 gives it a time and fields, 2 fields alone.
local function handled(tag, timestamp, record)
  local name = tag:match("^[^.]+%.(.+)$")
  local owner, text, meta = known(name, record)
  if owner == nil then return -1, timestamp, record end
  local good, found, at = pcall(document, owner, text, meta)
  if not good then
    found, at = {message = masked(text)}, nil
    for key, value in pairs(NOBODY) do found[key] = value end
  end
  if at then return 1, at, found end
  return 2, timestamp, found
end

function headroom(tag, timestamp, record)
  return handled(tag, timestamp, record)
end
"""
