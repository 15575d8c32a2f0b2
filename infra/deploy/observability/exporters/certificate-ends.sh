#!/bin/sh
# Writes when the certificates of this host end, for the node exporter. Run by tocsin-certificate-ends.timer.
#   certificate-ends.sh <folder of the textfile collector> <certificate>…
set -eu
folder=$1
shift
new="$folder/.tocsin-certificates.$$"
{
  echo '# HELP node_certificate_end_timestamp_seconds When a certificate ends, in seconds since the epoch'
  echo '# TYPE node_certificate_end_timestamp_seconds gauge'
  for file in "$@"; do
    [ -r "$file" ] || continue
    end=$(openssl x509 -noout -enddate -in "$file" | cut -d= -f2)
    echo "node_certificate_end_timestamp_seconds{file=\"$file\"} $(date -u -d "$end" +%s)"
  done
} >"$new"
# The exporter must never read half a file, and does not run as root.
chmod 644 "$new"
mv "$new" "$folder/tocsin-certificates.prom"
