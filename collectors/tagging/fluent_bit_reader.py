"""How the program of Fluent Bit matches expressions, masks secrets and reads JSON, in Lua."""

READER = r"""
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

-- The place after the character here, if it is of the set: never within a character.
local function after_one(set, text, at)
  local code = byte(text, at)
  if not code or not set[code] then return nil end
  at = at + 1
  if code >= 0xC0 then
    local stop = at + 3
    while at < stop and (byte(text, at) or 0) >= 0x80 and byte(text, at) < 0xC0 do at = at + 1 end
  end
  return at
end

local function repeated_set(set, least, most, after)
  return function(text, at, found)
    local places, count = {[0] = at}, 0
    while most == nil or count < most do
      local place = after_one(set, text, places[count])
      if not place then break end
      count = count + 1
      places[count] = place
    end
    for number = count, least, -1 do
      local result = after(text, places[number], found)
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
    local place = after_one(set, text, at)
    return place and after(text, place, found)
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

"""
