"""What the program of Fluentd and Logstash does, in Ruby."""

PROGRAM = r"""
  SECRET = SECRETS.map { |pattern| Regexp.new(pattern) }
  PRIVATE_KEY = PRIVATE && Regexp.new(PRIVATE)
  LEVEL_IN = Regexp.new(LEVEL)
  TIME_IN = Regexp.new(TIME)
  IN_TEXT = SOURCES.map do |name, source|
    patterns = source.slice('trace_in', 'span_in', 'pods', 'path').compact
    [name, patterns.transform_values { |pattern| Regexp.new(pattern) }]
  end.to_h
  MOST_FIELDS = 256
  ISO = /\A(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)\z/

  module_function

  # One record of a source as a document with dotted names; nil when it is not this host's.
  def document(name, text, meta)
    source = name && SOURCES.fetch(name)
    return nil if source && source['kind'] == 'file' && !here?(name, source, meta)

    read(name, source, valid(text.to_s), meta)
  end

  def read(name, source, text, meta)
    fields = source ? told(name, source, text) : {}
    fields.reject! { |key, _| claim?(key) }
    found = meta.reject { |_, value| value.nil? || value == '' }
    lift(source, fields, found) if source
    level = take(fields, LEVELS) { |value| !value.is_a?(Array) }
    found['log.level'] = masked(level.to_s) if level
    message = take(fields, MESSAGES) { |value| value.is_a?(String) }
    found['message'] = masked(message || text)
    fields.first(MOST_FIELDS).each do |key, value|
      place = RESERVED.include?(key) ? "labels.#{key}" : key
      found[place] = clean(value, key) unless found.key?(place)
    end
    found.merge(source ? source['tags'] : NOBODY)
  end

  def lift(source, fields, found)
    { 'trace' => 32, 'span' => 16 }.each do |concept, digits|
      value = take(fields, source[concept]) { |each| identifier?(each, digits) }
      found["#{concept}.id"] = value.downcase if value
    end
    version = take(fields, ['service.version', 'version']) { |value| value.is_a?(String) }
    found['service.version'] = masked(version) if version
    at = take(fields, source['time']) { |value| instant(value) }
    found['@timestamp'] = instant(at) if at
  end

  def identifier?(value, digits)
    value.is_a?(String) && value.match?(/\A\h{#{digits}}\z/) && !value.match?(/\A0+\z/)
  end

  def take(fields, names)
    name = names.find { |each| fields.key?(each) && yield(fields[each]) }
    name && fields.delete(name)
  end

  def instant(value)
    case value
    when Integer, Float then of_number(value)
    when String then of_text(value)
    end
  end

  # A number of ten digits is in seconds, of thirteen in milliseconds, and so on.
  def of_number(value)
    number = value.to_r
    [[10**18, 10**9], [10**15, 10**6], [10**12, 10**3], [10**9, 1]].each do |least, scale|
      return Time.at(number / scale).utc.iso8601(3) if number >= least && number < 10**19
    end
    nil
  end

  def of_text(value)
    match = ISO.match(value)
    return nil if match.nil?

    zone = match[8] == 'Z' ? '+00:00' : match[8].sub(/\A(...):?(..)\z/, '\1:\2')
    second = match[6].to_r + "0.#{match[7] || 0}".to_r
    time = Time.new(*match[1..5].map(&:to_i), second, zone).utc
    time.iso8601(match[7] && match[7].size > 3 ? match[7].size : 3)
  rescue ArgumentError
    nil
  end

  def told(name, source, text)
    case source['format']
    when 'json' then of_json(text)
    when 'logfmt' then of_logfmt(text)
    else of_plain(name, source, text)
    end
  end

  def of_json(text)
    return {} unless text.lstrip.start_with?('{')

    value = JSON.parse(text)
    value.is_a?(Hash) ? flatten(value, '', {}) : {}
  rescue JSON::ParserError
    {}
  end

  def of_logfmt(text)
    return {} unless text.match?(/\A[^ =]+=/)

    text.scan(/([^ =]+)=("(?:[^"\\]|\\.)*"|[^ ]*)/).map do |key, value|
      [key, value.start_with?('"') ? value[1..-2].gsub(/\\(.)/) { Regexp.last_match(1) } : value]
    end.to_h
  end

  def of_plain(name, source, text)
    found = {
      source['trace'].first => IN_TEXT[name]['trace_in'].match(text),
      source['span'].first => IN_TEXT[name]['span_in'].match(text),
      source['time'].first => TIME_IN.match(text)
    }
    found[LEVELS.first] = LEVEL_IN.match(text[0, LEVEL_WITHIN]) if source['level']
    found.compact.transform_values { |match| match[1] }
  end

  def flatten(value, prefix, found)
    value.each do |key, part|
      if part.is_a?(Hash)
        flatten(part, "#{prefix}#{key}.", found)
      elsif !part.nil?
        found["#{prefix}#{key}"] = part
      end
    end
    found
  end

  def claim?(name)
    CLAIMS.include?(name) || CLAIMED.any? { |prefix| name.start_with?(prefix) }
  end

  def masked(text)
    SECRET.reduce(valid(text)) { |found, secret| found.gsub(secret) { MASK } }
  end

  def valid(text)
    found = text.dup.force_encoding(Encoding::UTF_8)
    found.valid_encoding? ? found : found.scrub('?')
  end

  def clean(value, name)
    return MASK if PRIVATE_KEY && PRIVATE_KEY.match?(name.downcase)

    case value
    when String then masked(value)
    when Array then value.map { |part| clean(part, '') }
    when Hash then value.map { |key, part| [key, clean(part, key)] }.to_h
    else value
    end
  end

  def host
    name = ENV[HOST].to_s
    name.empty? ? nil : name
  end

  def here?(name, source, meta)
    path = IN_TEXT[name]['path']
    host?(source, host) && (path.nil? || path.match?(valid(meta['log.file.path'].to_s)))
  end

  def host?(source, name)
    return true if source['hosts'].empty? || source['hosts'].include?(name)

    name.nil? && !source['strict']
  end

  # The place of a pod's file says whose it is.
  def pod(path)
    *_, names, container, _ = path.to_s.split('/')
    namespace, name, uid = names.to_s.split('_', 3)
    { 'namespace' => namespace, 'name' => name.to_s, 'uid' => uid, 'container' => container }
  end

  def owner_of_pod(found, labels)
    SOURCES.each_key.find do |name|
      source = SOURCES[name]
      next if source['kind'] != 'pods' || source['pod_namespace'] != found['namespace']
      next if source['container'] && source['container'] != found['container']
      next IN_TEXT[name]['pods'].match?(found['name']) if source['pods']

      source['labels'].all? { |key, value| labels[key] == value }
    end
  end

  def owner_of_message(program, sender)
    SOURCES.each_key.find do |name|
      source = SOURCES[name]
      source['kind'] == 'syslog' && source['program'] == program && host?(source, sender)
    end
  end

  def priority(number)
    number.to_s.match?(/\A[0-7]\z/) ? PRIORITIES[number.to_i] : nil
  end

  # Names with dots as objects, for what looks for fields by their place.
  def nested(document)
    document.each_with_object({}) do |(name, value), found|
      *path, last = name.split('.')
      place = path.reduce(found) do |at, part|
        at[part] = {} unless at[part].is_a?(Hash)
        at[part]
      end
      place[last || name] = value
    end
  end

  # What could not be read or sent, without its secrets.
  def rejected(record)
    { 'message' => masked(JSON.generate(record)) }
  rescue StandardError
    { 'message' => MASK }
  end
"""

OF_FLUENTD = r"""
  # A record of Fluentd by the tag of its source; nil when it is not this host's.
  def of_fluentd(tag, seconds, record)
    kind, name = tag.split('.')[1, 2]
    text, meta = of_kind(kind, record)
    name = owner_of_message(record['ident'], record['host']) if kind == 'syslog'
    if kind == 'pods'
      found = pod(meta['log.file.path'])
      return nil if owner_of_pod(found, {}) != name

      meta = meta.merge(of_pod(found))
    end
    document = document(name, text, meta)
    document && finished(document, seconds)
  end

  def of_kind(kind, record)
    here = host || Socket.gethostname
    case kind
    when 'journal'
      [record['MESSAGE'], { 'host.hostname' => record['_HOSTNAME'],
                            'systemd.unit' => record['_SYSTEMD_UNIT'],
                            'log.level' => priority(record['PRIORITY']) }]
    when 'syslog'
      [record['message'], { 'host.hostname' => record['host'],
                            'process.name' => record['ident'],
                            'log.level' => record['severity'] }]
    else
      [record['message'], { 'host.hostname' => here, 'log.file.path' => record['log.file.path'] }]
    end
  end

  def of_pod(found)
    { 'kubernetes.namespace' => found['namespace'], 'kubernetes.pod.name' => found['name'],
      'kubernetes.pod.uid' => found['uid'], 'kubernetes.container.name' => found['container'] }
  end

  def finished(document, seconds)
    read = Time.at(seconds).utc.iso8601(3)
    stream = document.values_at('data_stream.dataset', 'data_stream.namespace').join('-')
    nested({ '@timestamp' => read }.merge(document)).merge('headroom_index' => "logs-#{stream}")
  end
"""

OF_LOGSTASH = r"""
  # An event's fields by the source that they were read from; nil when it is not this host's.
  def of_logstash(name, fields)
    text = fields['message']
    meta = { 'host.hostname' => fields.dig('host', 'hostname') }
    if name == 'syslog'
      program = fields.dig('process', 'name') || fields['program']
      name = owner_of_message(program, meta['host.hostname'])
      level = fields.dig('log', 'syslog', 'severity', 'name')
      meta = meta.merge('process.name' => program, 'log.level' => level)
    else
      path = fields.dig('log', 'file', 'path')
      meta = { 'host.hostname' => host || Socket.gethostname, 'log.file.path' => path }
    end
    document = document(name, text, meta)
    document && nested({ '@timestamp' => fields['@timestamp'].to_s }.merge(document))
  rescue StandardError
    nested(rejected(fields.reject { |key, _| key.start_with?('@') }).merge(NOBODY))
  end
"""
