# What the scenarios share.

# Milliseconds since the machine's start.
now() {
  local up
  read -r up _ </proc/uptime
  echo $((10#${up/./} * 10))
}

# A line that the machine outside reads.
tell() { echo "RESULT $1"; }

at() { ip netns exec "$@"; }

new_switch() {
  ip link add "$1" type bridge forward_delay 0
  ip link set "$1" up
}

# cable PLACE CARD SWITCH; its end at the switch is PLACE-CARD
cable() {
  ip link add "$1-$2" type veth peer name "$2" netns "$1"
  ip link set "$1-$2" master "$3" up
  ip -n "$1" link set "$2" up
}

# place NAME ADDRESS SWITCH
place() {
  ip netns add "$1"
  ip -n "$1" link set lo up
  cable "$1" eth0 "$3"
  ip -n "$1" address add "$2/24" dev eth0
}

# A place, with its processes and its cables. (The kernel takes its time to remove the cables of a place that is gone.)
remove() {
  local pids end
  pids=$(ip netns pids "$1")
  [[ -z $pids ]] || kill -9 $pids
  for end in /sys/class/net/"$1"-*; do ip link delete "${end##*/}"; done
  ip netns delete "$1"
}
