"""The program in JavaScript that Filebeat runs on every event; its engine knows ES5 alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from collectors.tagging.expressions import written
from collectors.tagging.model import Plan
from collectors.tagging.shipping import UNATTRIBUTED, Reading
from collectors.tagging.tables import constants

SCRIPT = "headroom.js"


def script(plan: Plan, found: Sequence[Reading]) -> str:
    """The whole program: what it looks into, then what it does."""
    names = {
        **constants(plan, found, written),
        "UNATTRIBUTED": UNATTRIBUTED,
        "NAMESPACE": plan.streams[0].namespace,
    }
    # Only ASCII: a line separator of Unicode would end a line of JavaScript.
    values = "".join(
        f"var {name} = {json.dumps(value, indent=2 if name == 'SOURCES' else None)};\n"
        for name, value in names.items()
    )
    return values + _PROGRAM


_PROGRAM = r"""
var secrets = SECRETS.map(function (pattern) { return new RegExp(pattern, "g"); });
var privateKey = PRIVATE === null ? null : new RegExp(PRIVATE);
var levelOf = new RegExp(LEVEL);
var timeIn = new RegExp(TIME);
Object.keys(SOURCES).forEach(function (name) {
  var source = SOURCES[name];
  ["trace_in", "span_in", "pods"].forEach(function (key) {
    if (source[key]) { source[key] = new RegExp(source[key]); }
  });
});
var MOST_FIELDS = 256;
var own = null;
var host = "";

function register(params) {
  own = params.source;
  host = params.host || "";
}

function masked(text) {
  for (var i = 0; i < secrets.length; i++) {
    text = text.replace(secrets[i], function () { return MASK; });
  }
  return text;
}

function clean(value, name) {
  if (privateKey !== null && privateKey.test(name.toLowerCase())) { return MASK; }
  if (typeof value === "string") { return masked(value); }
  if (Array.isArray(value)) {
    return value.map(function (part) { return clean(part, ""); });
  }
  if (value !== null && typeof value === "object") {
    var found = {};
    Object.keys(value).forEach(function (key) { found[key] = clean(value[key], key); });
    return found;
  }
  return value;
}

function flatten(value, prefix, found) {
  Object.keys(value).forEach(function (key) {
    var part = value[key];
    if (part !== null && typeof part === "object" && !Array.isArray(part)) {
      flatten(part, prefix + key + ".", found);
    } else if (part !== null && part !== undefined) {
      found[prefix + key] = part;
    }
  });
  return found;
}

function isClaim(name) {
  if (CLAIMS.indexOf(name) >= 0) { return true; }
  return CLAIMED.some(function (prefix) { return name.indexOf(prefix) === 0; });
}

function inText(text, pattern) {
  var match = pattern.exec(text);
  return match === null ? null : match[1];
}

function told(text, source) {
  var found = {};
  if (source.format === "json") {
    try {
      var value = JSON.parse(text);
      if (value !== null && typeof value === "object" && !Array.isArray(value)) {
        flatten(value, "", found);
      }
    } catch (error) { /* a line that is no JSON stays a line */ }
  } else if (source.format === "logfmt" && /^[^ =]+=/.test(text)) {
    var pair = /([^ =]+)=("(?:[^"\\]|\\.)*"|[^ ]*)/g, match;
    while ((match = pair.exec(text)) !== null) {
      var part = match[2];
      found[match[1]] = part.charAt(0) === '"' ? part.slice(1, -1).replace(/\\(.)/g, "$1") : part;
    }
  } else if (source.format === "plain") {
    var wanted = [
      [source.trace[0], source.trace_in, text],
      [source.span[0], source.span_in, text],
      [source.time[0], timeIn, text]
    ];
    if (source.level) { wanted.push([LEVELS[0], levelOf, text.slice(0, LEVEL_WITHIN)]); }
    wanted.forEach(function (each) {
      var value = inText(each[2], each[1]);
      if (value !== null) { found[each[0]] = value; }
    });
  }
  return found;
}

function taken(fields, names, fits) {
  for (var i = 0; i < names.length; i++) {
    var value = fields[names[i]];
    if (value !== undefined && fits(value)) {
      delete fields[names[i]];
      return value;
    }
  }
  return null;
}

function identifier(fields, names, digits) {
  var form = new RegExp("^[0-9a-fA-F]{" + digits + "}$");
  var value = taken(fields, names, function (each) {
    return typeof each === "string" && form.test(each) && !/^0+$/.test(each);
  });
  return value === null ? null : value.toLowerCase();
}

function milliseconds(value) {
  if (typeof value === "number") {
    if (value >= 1e18) { return value / 1e6; }
    if (value >= 1e15) { return value / 1e3; }
    if (value >= 1e12) { return value; }
    return value >= 1e9 ? value * 1e3 : null;
  }
  var form = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)$/;
  var match = form.exec(value);
  if (match === null) { return null; }
  var zone = 0;
  if (match[8] !== "Z") {
    var digits = match[8].replace(":", "");
    zone = (digits.charAt(0) === "-" ? -1 : 1) *
      (parseInt(digits.slice(1, 3), 10) * 60 + parseInt(digits.slice(3, 5), 10));
  }
  var part = match[7] === undefined ? 0 : parseFloat("0." + match[7]) * 1000;
  return Date.UTC(match[1], match[2] - 1, match[3], match[4], match[5], match[6]) -
    zone * 60000 + part;
}

function text(event, names) {
  for (var i = 0; i < names.length; i++) {
    var value = event.Get(names[i]);
    if (typeof value === "string" && value !== "") { return value; }
  }
  return "";
}

function pod(event) {
  var path = text(event, ["log.file.path"]).split("/");
  var names = (path[path.length - 3] || "").split("_");
  var labels = event.Get("kubernetes.labels") || {};
  return {
    namespace: names[0] || "", name: names[1] || "", uid: names[2] || "",
    container: path[path.length - 2] || "", labels: labels
  };
}

function ownsPod(source, found) {
  if (source.pod_namespace !== found.namespace) { return false; }
  if (source.container !== null && source.container !== found.container) { return false; }
  if (source.pods !== null) { return source.pods.test(found.name); }
  return Object.keys(source.labels).every(function (key) {
    return found.labels[key.replace(/\./g, "_")] === source.labels[key];
  });
}

function ownerOfPod(found) {
  var names = Object.keys(SOURCES).filter(function (name) {
    return SOURCES[name].kind === "pods" && ownsPod(SOURCES[name], found);
  });
  return names.length === 0 ? null : names[0];
}

function ownerOfMessage(event) {
  var program = text(event, ["log.syslog.appname", "process.name", "process.program"]);
  var sender = text(event, ["log.syslog.hostname", "hostname"]);
  var names = Object.keys(SOURCES).filter(function (name) {
    var source = SOURCES[name];
    if (source.kind !== "syslog" || source.program !== program) { return false; }
    return isHost(source, sender);
  });
  return names.length === 0 ? null : names[0];
}

function isHost(source, name) {
  if (source.hosts.length === 0 || source.hosts.indexOf(name) >= 0) { return true; }
  return name === "" && !source.strict;
}

function put(event, name, value) {
  try {
    event.Put(name, value);
  } catch (error) {
    event.Put("labels." + name.replace(/\./g, "_"), value);
  }
}

function ownerOf(event) {
  if (own === "syslog") { return ownerOfMessage(event); }
  var source = SOURCES[own];
  if (source.kind === "pods") { return ownerOfPod(pod(event)) === own ? own : undefined; }
  return isHost(source, source.kind === "file" ? host : "") || source.kind === "journal"
    ? own : undefined;
}

function known(event, source) {
  var level = text(event, ["log.syslog.severity.name", "syslog.severity_label"]);
  if (source !== null && source.kind === "journal") {
    var number = event.Get("log.syslog.priority");
    if (number === null || number === undefined) { number = event.Get("syslog.priority"); }
    level = PRIORITIES[Number(number)] || level;
  }
  if (level !== "") { event.Put("log.level", level.toLowerCase()); }
  var sender = text(event, ["log.syslog.hostname", "hostname"]) || host;
  if (sender !== "") { put(event, "host.hostname", sender); }
  if (source !== null && source.kind === "pods") {
    var found = pod(event);
    put(event, "kubernetes.namespace", found.namespace);
    put(event, "kubernetes.pod.name", found.name);
    put(event, "kubernetes.pod.uid", found.uid);
    put(event, "kubernetes.container.name", found.container);
  }
}

function document(event, source, line) {
  var fields = source === null ? {} : told(line, source);
  Object.keys(fields).forEach(function (name) { if (isClaim(name)) { delete fields[name]; } });
  var isText = function (value) { return typeof value === "string"; };
  var isOne = function (value) { return typeof value !== "object"; };
  known(event, source);
  if (source !== null) {
    var trace = identifier(fields, source.trace, 32), span = identifier(fields, source.span, 16);
    if (trace !== null) { event.Put("trace.id", trace); }
    if (span !== null) { event.Put("span.id", span); }
    var version = taken(fields, ["service.version", "version"], isText);
    if (version !== null) { event.Put("service.version", masked(version)); }
    var at = taken(fields, source.time, function (value) { return milliseconds(value) !== null; });
    if (at !== null) { event.Put("@timestamp", new Date(milliseconds(at))); }
  }
  var level = taken(fields, LEVELS, isOne);
  if (level !== null) { event.Put("log.level", masked(String(level))); }
  var message = taken(fields, MESSAGES, isText);
  event.Put("message", masked(message === null ? line : message));
  Object.keys(fields).slice(0, MOST_FIELDS).forEach(function (name) {
    var place = RESERVED.indexOf(name) >= 0 ? "labels." + name : name;
    put(event, place, clean(fields[name], name));
  });
}

function process(event) {
  var owner = ownerOf(event);
  if (owner === undefined) {
    event.Cancel();
    return;
  }
  var line = text(event, ["message"]);
  var source = owner === null ? null : SOURCES[owner];
  try {
    document(event, source, line);
  } catch (error) {
    event.Put("message", masked(line));
    event.Tag("_headroom_unread");
  }
  var tags = source === null ? {
    "data_stream.type": "logs",
    "data_stream.dataset": UNATTRIBUTED,
    "data_stream.namespace": NAMESPACE
  } : source.tags;
  Object.keys(tags).forEach(function (name) { event.Put(name, tags[name]); });
}
"""
