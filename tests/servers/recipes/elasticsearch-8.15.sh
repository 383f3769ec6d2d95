#!/bin/sh
# elasticsearch KEY=VALUE ...: one node on loopback with these settings, in the foreground.
part=$(cd -- "${0%/*}/.." && pwd)
# A test's node lives for a minute: the quick compiler halves what its start costs.
: "${SERVERS_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
# The core asks for its modules by name, so it runs on the module path alone.
exec java -Xms256m -Xmx512m $SERVERS_JAVA_OPTIONS -Des.path.home="$part/home" \
    --module-path "$part/lib" --add-modules=jdk.net,jdk.management.agent,ALL-MODULE-PATH \
    --add-opens=java.base/java.io=org.elasticsearch.preallocate \
    --class-path "$part/classes" ElasticsearchNode "$part/home" "$@"
