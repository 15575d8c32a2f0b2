#!/bin/sh
# Does on the hosts of hosts.yaml what docs/operations.md tells a person to do (steps 3 to 5), and what
# infra/deploy/observability/README.md asks of each host. They run by then. Safe to repeat: data that are there stay, and a
# container that was made anew gets its files again.
#   first-start.sh [FOLDER]   which `npm run hosts` has written. Default: .tocsin/hosts/out
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../../.tocsin/hosts/out}
hosts='a b c'
watcher=10.77.0.20

say() { echo "$*" >&2; }
die() {
  say "$*"
  exit 1
}
# A step that succeeds as soon as what it needs is there: tried for two minutes.
again() {
  tries=60
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 2
  done
}
on() { docker compose -f "$here/hosts.yaml" exec -T "$@"; }

has_booted() { on "$1" systemctl --quiet is-active basic.target 2>/dev/null; }
has_database() { on "$1" test -e /var/lib/tocsin/postgres/data/PG_VERSION; }
initialise() { on "$1" runuser -u tocsin-postgres -- /etc/tocsin/postgres/initialise ${2:+"$2"}; }
# What the exporters may count in the tables of sub-services, once they have made them. Only the primary takes it.
may_count() {
  for host in $hosts; do
    if on "$host" psql -Xqw -h /run/tocsin/postgres -U tocsin_admin -d tocsin -v ON_ERROR_STOP=1 -1 \
      <"$here/../observability/exporters/role.sql" 2>/dev/null; then return; fi
  done
  return 1
}

[ -e "$out/software/release" ] || die "There is nothing in $out: run \`npm run hosts\` as README.md says."

for host in $hosts; do
  say "$host: puts its files in their place"
  again has_booted "$host" || die "$host does not run. \`docker compose -f $here/hosts.yaml logs $host\` may say why."
  tar -C "$out" -cf - "$host" software | on "$host" sh -c "mkdir -p -m 0700 /root/tocsin && tar -C /root/tocsin -xf - &&
    /root/tocsin/$host/install && systemctl daemon-reload"
done

how=first
for host in $hosts; do
  if has_database "$host"; then how=; fi
done
for host in $hosts; do
  if has_database "$host"; then continue; fi
  say "$host: fills its database"
  # The unit makes the folders, finds nothing in them, and tries again until there is something.
  on "$host" systemctl start --no-block tocsin-postgres
  again initialise "$host" "$how"
  how=
done

for host in $hosts; do
  say "$host: starts everything"
  # Not waited for: a database that was a primary waits for the other hosts.
  on "$host" sh -c 'systemctl enable tocsin.target && systemctl start --no-block tocsin.target'
done
for host in $hosts; do
  say "$host: starts what watches it"
  tar -C "$here/.." -cf - observability/exporters observability/otel-collector.yaml compose/host/watched |
    on "$host" sh -c "tar -C /root -xf - && /root/compose/host/watched $watcher"
done
again may_count || die "Sub-services have made no tables yet: \`systemctl status 'tocsin*'\` on a host may say why."
say 'Done.'
