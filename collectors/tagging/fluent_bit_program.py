"""What the program of Fluent Bit does, in Lua 5.1 as LuaJIT has it."""

from __future__ import annotations

from collectors.tagging.fluent_bit_reader import READER

PROGRAM = (
    READER
    + r"""
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

local function pod_of(path, kubernetes)
  if kubernetes then
    return {namespace = kubernetes.namespace_name, name = kubernetes.pod_name or "",
      uid = kubernetes.pod_id, container = kubernetes.container_name}
  end
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
      [SEVERITY] = number and PRIORITIES[number % 8 + 1]
    }
  elseif source.kind == "journal" then
    local unit = record._SYSTEMD_UNIT or record.UNIT
    if unit ~= source.unit and unit ~= source.unit .. ".service" then return nil end
    return name, record.MESSAGE or "", {
      ["host.hostname"] = record._HOSTNAME, ["systemd.unit"] = unit,
      [SEVERITY] = PRIORITIES[(tonumber(record.PRIORITY or "") or 6) + 1]
    }
  end
  local path = record["log.file.path"]
  local meta = {["log.file.path"] = path, ["host.hostname"] = host ~= "" and host or nil}
  if source.kind == "file" then
    if not is_here(source, host) then return nil end
    if in_text[name].path and not in_text[name].path(path or "") then return nil end
    return name, record.log or "", meta
  end
  local pod = pod_of(path, record.kubernetes)
  local labels = record.kubernetes and record.kubernetes.labels or {}
  if owner_of_pod(pod, labels) ~= name then return nil end
  meta["kubernetes.namespace"], meta["kubernetes.pod.name"] = pod.namespace, pod.name
  meta["kubernetes.pod.uid"], meta["kubernetes.container.name"] = pod.uid, pod.container
  return name, record.log or "", meta
end

local function lift(source, fields, found)
  found[TRACE] = identifier(fields, source.trace, 32)
  found[SPAN] = identifier(fields, source.span, 16)
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
  if level ~= nil then found[SEVERITY] = masked(tostring(level)) end
  found["message"] = masked(take(fields, MESSAGES, is_text) or text)
  put_rest(fields, found)
  for key, value in pairs(source and source.tags or NOBODY) do found[key] = value end
  return found, at
end

-- Called with every record; -1 drops it, 1 gives it a time and fields, 2 fields alone.
local function handled(tag, timestamp, record)
  local owner, text, meta = known(tag:match("^headroom%.([^.]+)"), record)
  if owner == nil then return -1, timestamp, record end
  local good, found, at = pcall(document, owner, text, meta)
  if not good then
    found, at = {message = masked(text)}, nil
    for key, value in pairs(NOBODY) do found[key] = value end
  end
  if owner == false or SOURCES[owner].kind == "syslog" then
    found[OWNER] = owner or "nobody"
  end
  if at then return 1, at, found end
  return 2, timestamp, found
end

function headroom(tag, timestamp, record)
  return handled(tag, timestamp, record)
end
"""
)
