"""The Painless scripts of the pipelines; what differs between workspaces is in their parameters.

So no name or path of a user is ever part of a script's text, and a cluster compiles each once.
"""

_HELPERS = """\
def at(def root, String path) {
  if (root.containsKey(path)) { return root.get(path); }
  def place = root;
  for (String part : path.splitOnToken('.')) {
    if (!(place instanceof Map) || !place.containsKey(part)) { return null; }
    place = place.get(part);
  }
  return place;
}
boolean put(def root, String path, def value) {
  def place = root;
  String[] parts = path.splitOnToken('.');
  for (int i = 0; i < parts.length - 1; i++) {
    if (!place.containsKey(parts[i])) { place.put(parts[i], new HashMap()); }
    place = place.get(parts[i]);
    if (!(place instanceof Map)) { return false; }
  }
  if (place.containsKey(parts[parts.length - 1])) { return false; }
  place.put(parts[parts.length - 1], value);
  return true;
}
void replace(def root, String path, def value) {
  int dot = path.lastIndexOf('.');
  root.remove(path);
  def parent = dot < 0 ? root : at(root, path.substring(0, dot));
  if (parent instanceof Map) { parent.remove(path.substring(dot + 1)); }
  put(root, path, value);
}
"""

LIFT = (
    _HELPERS
    + """\
boolean number(String text) {
  for (int i = 0; i < text.length(); i++) {
    if ('0123456789.E'.indexOf(text.substring(i, i + 1)) < 0) { return false; }
  }
  return text.length() > 9;
}
def parsed = ctx.remove(params.parsed);
def line = ctx.message;
if (parsed instanceof Map) {
  ctx.remove('message');
  for (def entry : parsed.entrySet()) {
    String key = entry.getKey();
    if (params.claims.contains(key) || key.startsWith('data_stream') || key.startsWith('_')) {
      continue;
    }
    if (key == 'labels' && entry.getValue() instanceof Map) {
      for (String claim : params.labels) { entry.getValue().remove(claim); }
    }
    if (params.times.contains(key) || params.levels.contains(key)) { continue; }
    if (entry.getValue() instanceof Map && ctx.get(key) instanceof Map) {
      for (def inner : entry.getValue().entrySet()) {
        if (!params.claims.contains(key + '.' + inner.getKey())) {
          put(ctx.get(key), inner.getKey(), inner.getValue());
        }
      }
    } else if (at(ctx, key) == null && !put(ctx, key, entry.getValue())) {
      if (!(ctx.attributes instanceof Map)) { ctx.attributes = new HashMap(); }
      ctx.attributes.put(key, entry.getValue());
    }
  }
  for (String name : params.times) {
    def value = at(parsed, name);
    if (value != null) { ctx.put(params.time, value); break; }
  }
  for (String name : params.levels) {
    def value = at(parsed, name);
    if (value instanceof Map) { continue; }
    if (value != null) { replace(ctx, 'log.level', value.toString()); break; }
  }
}
for (String name : params.messages) {
  if (ctx.message != null) { break; }
  def value = ctx.get(name);
  if (value instanceof String) { ctx.message = value; ctx.remove(name); }
}
for (def pair : params.identifiers) {
  for (String name : pair.names) {
    def value = at(ctx, name);
    if (value instanceof String && value.length() == pair.digits) {
      replace(ctx, pair.field, value.toLowerCase());
      if (name != pair.field) { ctx.remove(name); }
      break;
    }
  }
}
if (ctx.message == null && line != null) { ctx.message = line; }
def time = ctx.get(params.time);
if (time != null && number(time.toString())) {
  BigDecimal count = new BigDecimal(time.toString());
  BigDecimal unit = new BigDecimal('1000000000');
  for (String bound : params.bounds) {
    if (count.compareTo(new BigDecimal(bound)) >= 0) { unit = unit.divide(new BigDecimal('1000')); }
  }
  long nanos = count.multiply(unit).longValue();
  ctx.put(params.time, Instant.ofEpochSecond(nanos / 1000000000L, nanos % 1000000000L).toString());
}
def level = at(ctx, 'log.level');
if (level == null) { level = at(ctx, 'severity_text'); }
if (level != null) {
  String word = level.toString().toLowerCase();
  replace(ctx, 'log.level', params.words.getOrDefault(word, word));
}
"""
)
"""Brings a parsed JSON message's fields to their places; a record never says who owns it."""

FOLD = """\
def rest = new HashMap();
for (String key : new ArrayList(ctx.keySet())) {
  boolean known = params.known.contains(key.splitOnToken('.')[0]);
  if (!known && !key.startsWith('_')) { rest.put(key, ctx.remove(key)); }
}
if (!rest.isEmpty()) {
  if (!(ctx.attributes instanceof Map)) { ctx.attributes = new HashMap(); }
  ctx.attributes.putAll(rest);
}
"""
"""Moves what no mapping names under ``attributes``, where it can be searched."""

ROUTE = (
    _HELPERS
    + """\
boolean text(def value, String wanted) { return value != null && value.toString() == wanted; }
boolean any(def root, def names, def wanted) {
  for (String name : names) {
    def value = at(root, name);
    if (value != null && wanted.contains(value.toString())) { return true; }
  }
  return false;
}
boolean pod(String name, def rule) {
  if (rule.suffix.isEmpty()) { return name == rule.workload; }
  if (!name.startsWith(rule.workload + '-')) { return false; }
  String[] parts = name.substring(rule.workload.length() + 1).splitOnToken('-');
  if (parts.length != rule.suffix.length) { return false; }
  for (int i = 0; i < parts.length; i++) {
    int length = parts[i].length();
    if (length < rule.suffix[i][0] || length > rule.suffix[i][1]) { return false; }
  }
  return true;
}
int slashes(String path) {
  int found = 0;
  for (int i = 0; i < path.length(); i++) { if (path.charAt(i) == (char) '/') { found++; } }
  return found;
}
boolean path(String name, def rule) {
  def parts = rule.parts;
  if (parts.length == 1) { return name == parts[0]; }
  String last = parts[parts.length - 1];
  if (!name.startsWith(parts[0]) || !name.endsWith(last)) { return false; }
  if (rule.slashes >= 0 && slashes(name) != rule.slashes) { return false; }
  int from = parts[0].length();
  int end = name.length() - last.length();
  for (int i = 1; i < parts.length - 1; i++) {
    int found = name.indexOf(parts[i], from);
    if (found < 0) { return false; }
    from = found + parts[i].length();
  }
  return from <= end;
}
boolean matches(def root, def rule, def fields) {
  for (def entry : rule.is.entrySet()) {
    if (!any(root, fields.get(entry.getKey()), entry.getValue())) { return false; }
  }
  for (def entry : rule.labels.entrySet()) {
    def labels = at(root, 'kubernetes.labels');
    if (!(labels instanceof Map)) { return false; }
    def value = labels.get(entry.getKey());
    if (value == null) { value = labels.get(entry.getKey().replace('.', '_')); }
    if (!text(value, entry.getValue())) { return false; }
  }
  if (rule.containsKey('workload')) {
    def name = at(root, 'kubernetes.pod.name');
    if (name == null || !pod(name.toString(), rule)) { return false; }
  }
  if (rule.containsKey('parts')) {
    for (String field : fields.path) {
      def name = at(root, field);
      if (name != null && path(name.toString(), rule)) { return true; }
    }
    return false;
  }
  return true;
}
String index = ctx._index;
replace(ctx, 'data_stream.type', index.substring(0, index.indexOf('-')));
replace(ctx, 'data_stream.dataset', params.unattributed);
replace(ctx, 'data_stream.namespace', index.substring(index.lastIndexOf('-') + 1));
if (at(ctx, 'labels.app') != null) { return; }
for (def rule : params.rules) {
  if (!matches(ctx, rule, params.fields)) { continue; }
  for (def tag : rule.tags.entrySet()) { replace(ctx, tag.getKey(), tag.getValue()); }
  replace(ctx, 'data_stream.dataset', rule.dataset);
  replace(ctx, 'data_stream.namespace', rule.namespace);
  return;
}
"""
)
"""Gives an untagged record to the application that its origin belongs to, if it is one's alone."""
