# What the scripts beside this one share; each sources it. It reads the host's own `settings`, keeps the password file where
# libpq accepts it, and knows how to ask a host what it is.
# shellcheck shell=sh disable=SC1091
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings"

umask 077
# libpq looks for certificates in the home folder; whose that is depends on who runs a script.
export LC_ALL=C PATH="$BINDIR:/usr/bin:/bin" HOME="$STATE"
export PGPASSFILE="$RUN/pgpass" PGCONNECT_TIMEOUT=2 PGSSLMODE=verify-full PGSSLROOTCERT="$CA"
# Readiness is told to systemd by the server that stays, not by one that a script starts for a moment.
unset NOTIFY_SOCKET

# libpq refuses a password file that a group may read, and ours belongs to root: a private copy is what it gets.
if [ ! -e "$RUN/pgpass" ] || ! cmp -s "$here/pgpass" "$RUN/pgpass"; then
  cp "$here/pgpass" "$RUN/pgpass.$$" && chmod 600 "$RUN/pgpass.$$" && mv "$RUN/pgpass.$$" "$RUN/pgpass"
fi

say() { echo "$(basename "$0"): $*" >&2; }
die() {
  say "$*"
  exit 1
}

# SQL on a host, as repmgr. Bounded: a frozen server must not hold up a decision.
ask() {
  timeout 6 psql -XAtqw -F ' ' -h "$1" -p "$PORT" -U repmgr -d repmgr -c "SET statement_timeout = 3000" -c "$2"
}

# SQL on the server of this host, as its superuser: by the socket, as this Unix user.
administer() { psql -XAtqw -v ON_ERROR_STOP=1 -h "$RUN" -p "$PORT" -U tocsin_admin "$@"; }

# Whether this standby's primary sent it something just now.
HEARS_SQL="EXISTS (SELECT FROM pg_stat_wal_receiver
  WHERE status = 'streaming' AND last_msg_receipt_time > clock_timestamp() - interval '3 s')"

# The timeline of a standby is the highest one of which it has received anything: its control file tells it too late.
STATE_SQL="SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END,
  CASE WHEN pg_is_in_recovery()
    THEN (SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir()
          WHERE name ~ '^[0-9A-F]{8}([0-9A-F]{16}([.]partial)?|[.]history)\$')
    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
  CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    ELSE pg_current_wal_lsn() END,
  CASE WHEN $HEARS_SQL THEN 'hears' ELSE 'deaf' END"

# Prints what the server at an address is: `primary TIMELINE LSN deaf`, `standby TIMELINE LSN hears` (or `deaf`: its primary
# sent nothing just now), `refused` (the host is there and says that nothing listens), `starting`, or `silent` (cut off,
# frozen, gone, or it does not let us in).
state_of() {
  if said=$(ask "$1" "$STATE_SQL" 2>&1); then
    echo "$said"
  else
    case $said in
      *'onnection refused'*) echo refused ;;
      *'starting up'* | *'shutting down'* | *'not yet accepting'*) echo starting ;;
      *) echo silent ;;
    esac
  fi
}

# Looks at the other hosts. Sets `primary` (address of the one on the highest timeline, or nothing), `primary_timeline`,
# `standbys` (how many answered as such), `hearing` (how many of them hear a primary), `refusals`, and the furthest `timeline`
# and `lsn` among those standbys.
look_around() {
  primary='' primary_timeline=0 standbys=0 hearing=0 refusals=0 timeline=0 lsn=0/0
  # All at once: one that is silent costs 2 s.
  answers=$(for address in $OTHERS; do echo "$address $(state_of "$address")" & done && wait)
  while read -r address its_role its_timeline its_lsn its_ear; do
    case $its_role in
      primary) if [ "$its_timeline" -gt "$primary_timeline" ]; then primary=$address primary_timeline=$its_timeline; fi ;;
      standby)
        standbys=$((standbys + 1))
        if [ "$its_ear" = hears ]; then hearing=$((hearing + 1)); fi
        if [ "$its_timeline" -gt "$timeline" ]; then
          timeline=$its_timeline lsn=$its_lsn
        elif [ "$its_timeline" -eq "$timeline" ] && later "$its_lsn" "$lsn"; then
          lsn=$its_lsn
        fi
        ;;
      refused) refusals=$((refusals + 1)) ;;
    esac
  done <<EOF
$answers
EOF
}

# Is the first log position behind the second one's back, that is: later?
later() {
  high=$((0x${1%/*})) low=$((0x${1#*/}))
  if [ "$high" -ne $((0x${2%/*})) ]; then
    [ "$high" -gt $((0x${2%/*})) ]
  else
    [ "$low" -gt $((0x${2#*/})) ]
  fi
}

# The highest timeline in the log of this host's stopped server.
own_timeline() {
  highest=$(find "$DATA/pg_wal" -maxdepth 1 -type f -printf '%f\n' | grep -E '^[0-9A-F]{8}([0-9A-F]{16}(\.partial)?|\.history)$' |
    cut -c1-8 | sort | tail -n 1)
  echo $((0x${highest:-0}))
}

# Where the log of this host's stopped server ends. pg_waldump reads up to the first thing that is no record and names its
# place; where it can't, the last checkpoint stands in, which is never too far.
own_end() {
  redo=$(pg_controldata "$DATA" | sed -n "s/^Latest checkpoint's REDO location: *//p")
  end=$(pg_waldump -q -p "$DATA/pg_wal" -t "$(own_timeline)" -s "$redo" 2>&1 | sed -n 's|.* at \([0-9A-F]*/[0-9A-F]*\):.*|\1|p' | tail -n 1)
  echo "${end:-$redo}"
}

# For scripts that fill the data folder: systemd starts the unit again and again meanwhile, and it must not take half a
# copy for a database. Held until the last process that was started from here has ended.
hold_lock() {
  exec 9>"$STATE/lock"
  flock -n 9 || die 'another script is filling the data folder'
}
is_locked() { ! flock -n -s "$STATE/lock" true; }

running() { pg_ctl -D "$DATA" status >/dev/null 2>&1; }
was_standby() { [ -e "$DATA/standby.signal" ]; }

# For a moment, so that repmgr can finish what it needs a running server for. systemd runs the one that stays.
start_briefly() {
  # Whatever fails meanwhile, no server stays behind that systemd does not know of.
  trap 'if running; then pg_ctl -D "$DATA" -w -s -m fast stop >&2; fi' EXIT
  pg_ctl -D "$DATA" -w -t 300 -s start -l "$STATE/brief.log" ${1:+-o "$1"} </dev/null >&2
}
stop_briefly() { pg_ctl -D "$DATA" -w -t 300 -s -m fast stop >&2; }

repmgr_here() { repmgr -f "$here/repmgr.conf" "$@"; }

# Every setting is in our own folder; what lies in the data folder only points there, and may be copied between hosts.
point_to_settings() { printf "include '%s'\n" "$here/postgresql.conf" >"$DATA/postgresql.conf"; }

# A copy of the primary in an empty folder, registered. Leaves the server stopped.
clone_from() {
  repmgr_here -h "$1" -p "$PORT" -U repmgr -d repmgr standby clone --fast-checkpoint
  start_briefly
  repmgr_here standby register --force --wait-sync=60
  drop_leftover_slots
  stop_briefly
}

# Slots come along with a copy of a primary, and stay on one that is a primary no more. Nobody reads from them, so they
# would hold its log back.
drop_leftover_slots() {
  administer -d repmgr -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE NOT active AND slot_name LIKE 'repmgr\\_slot\\_%' AND pg_is_in_recovery()" >/dev/null
}
