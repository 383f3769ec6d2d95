#!/bin/sh
# opensearch KEY=VALUE ...: one node on loopback with these settings, in the foreground.
part=$(cd -- "${0%/*}/.." && pwd)
# A test's node lives for a minute: the quick compiler halves what its start costs.
: "${SERVERS_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
exec java -Xms256m -Xmx512m $SERVERS_JAVA_OPTIONS \
    --class-path "$part/lib/*:$part/classes" OpensearchNode "$part/home" "$@"
