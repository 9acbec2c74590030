#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The network from the container's namespace to the guest's, without QEMU:
# net-probe stands for supervisor, VM and agent. Needs root and macvtap.

build=${BUILDDIR:-${T_BUILDDIR:-.}}
probe=$build/t/net-probe
host=rqh$$ box=rqb$$ guest=rqg$$
tmp=$(mktemp -d)
run=0 failed=0 vm=

ok() { # ok STATUS NAME
	run=$((run + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $run - $2"
	else
		echo "not ok $run - $2"
		failed=$((failed + 1))
	fi
}

same() { # same FILE FILE NAME
	diff -u "$1" "$2" >"$tmp/diff"
	ok $? "$3"
	sed 's/^/# /' "$tmp/diff"
}

like() { # like FILE REGEX NAME
	grep -Eq "$2" "$1"
	local r=$?
	ok $r "$3"
	[ $r -eq 0 ] || sed 's/^/# /' "$1"
}

# Runs a command until it succeeds, for ten seconds.
eventually() {
	local end=$((SECONDS + 10))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

in_host() { ip netns exec "$host" "$@"; }
in_box() { ip netns exec "$box" "$@"; }
in_guest() { ip netns exec "$guest" "$@"; }

begin() {
	for ns in $host $box $guest; do
		ip netns add "$ns" || exit 1
	done
	ip -n "$box" link set lo up
}

end_vm() {
	[ -n "$vm" ] || return 0
	exec 8>&-
	wait "$vm"
	vm=
}

end() {
	end_vm
	for ns in $host $box $guest; do
		ip netns del "$ns"
	done
}

servers=()

cleanup() {
	end_vm
	((${#servers[@]} == 0)) || kill "${servers[@]}" 2>/dev/null
	for ns in $host $box $guest; do
		ip netns del "$ns" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT

wire() { # wire N: interface ethN in the box, hN on the host
	ip link add "h$1" netns "$host" type veth peer name "eth$1" netns "$box"
	ip -n "$host" addr add "10.99.$1.1/24" dev "h$1"
	ip -n "$host" addr add "fd99:$1::1/64" dev "h$1" nodad
	ip -n "$host" link set "h$1" up
	ip -n "$box" addr add "10.99.$1.2/24" brd + dev "eth$1"
	ip -n "$box" addr add "fd99:$1::2/64" dev "eth$1" nodad
	ip -n "$box" link set "eth$1" up
}

lan() { # a network on the host to put macvlans on: lan0
	ip -n "$host" link add lan0 type veth peer name lan1
	ip -n "$host" link set lan0 up
	ip -n "$host" link set lan1 up
}

# What a namespace has, without what each kernel makes for itself.
state() { # state NETNS
	ip -n "$1" -o link show | grep -v ' lo:' |
	    sed 's/^[0-9]*: \([^:@]*\).* \(mtu [0-9]*\).*ether \([^ ]*\).*/\1 \2 \3/' |
	    sort
	ip -n "$1" -o addr show scope global |
	    sed 's/^[0-9]*: *//; s/ nodad//; s/ *\\.*//' | sort
	ip -n "$1" -4 route show
	ip -n "$1" -6 route show | grep -v '^fe80:'
}

start_vm() { # start_vm [late]
	mkfifo "$tmp/stdin.$run"
	rm -f "$tmp/json"
	in_box "$probe" vm "$guest" "$@" <"$tmp/stdin.$run" >"$tmp/json" \
	    2>"$tmp/stderr" &
	vm=$!
	exec 8>"$tmp/stdin.$run"
	eventually vm_ready
}

vm_ready() {
	[ -s "$tmp/json" ] || ! kill -0 "$vm" 2>/dev/null
}

vm_runs() { # vm_runs NAME
	[ -s "$tmp/json" ]
	ok $? "$1"
	sed 's/^/# /' "$tmp/stderr"
}

# Each is the program itself and not a shell that waits for it, so that $! ends
# it, and holds nothing of ours open: prove waits for the end of our output.
serve() { # serve PORT: in the guest, at all addresses
	ip netns exec "$guest" socat "TCP-LISTEN:$1,fork" \
	    "SYSTEM:read x; echo $1" >/dev/null 2>&1 8>&- &
	servers+=($!)
	eventually listens "$1"
}

serve_udp() {
	ip netns exec "$guest" socat "UDP-LISTEN:$1,fork" \
	    "SYSTEM:read x; echo $1" >/dev/null 2>&1 8>&- &
	servers+=($!)
	eventually listens "$1"
}

listens() { in_guest ss -lntu | grep -q ":$1 "; }

answers() { # answers PORT ADDRESS: the server of PORT is there
	echo | in_host socat -t 5 -T 5 - "$2" >"$tmp/answer" 2>"$tmp/out"
	grep -qx "$1" "$tmp/answer"
}

has_addr() { # has_addr NETNS ADDRESS-REGEX
	ip -n "$1" -6 addr show | grep -Eq "$2"
}

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
if ! grep -q macvtap /proc/devices && ! modprobe macvtap 2>/dev/null; then
	echo "1..0 # SKIP this kernel has no macvtap"
	exit 0
fi

make -s -C "$build" t/net-probe >"$tmp/make" 2>&1 || {
	sed 's/^/# /' "$tmp/make"
	echo "Bail out! $probe cannot be built"
	exit 1
}

# ---- two interfaces, both families, all kinds of routes ----
begin
wire 0
wire 1
ip -n "$host" link set h1 mtu 1400
ip -n "$box" link set eth1 mtu 1400
ip -n "$box" addr add 10.99.0.7/24 brd + dev eth0
ip -n "$box" addr add 10.99.8.1 peer 10.99.8.2/32 dev eth1
ip -n "$box" route add default via 10.99.0.1
ip -n "$box" route add 192.0.2.0/24 via 10.99.1.1 metric 77
ip -n "$box" route add 198.51.100.0/24 dev eth1 scope link src 10.99.1.2
ip -n "$box" route add 203.0.113.0/24 via 172.31.0.1 dev eth1 onlink
ip -n "$box" route add blackhole 192.0.2.128/25
ip -n "$box" -6 route add default via fd99:0::1
ip -n "$box" -6 route add 2001:db8::/32 via fd99:1::1 metric 5
state "$box" | grep -v blackhole >"$tmp/want"
start_vm
vm_runs 'two veth: set up'
like "$tmp/stderr" 'route 192.0.2.128/25: of type blackhole, which is not carried' \
    'two veth: a blackhole gets a warning'
[ "$(grep -c . "$tmp/stderr")" -eq 1 ]
ok $? 'two veth: and only one'
state "$guest" >"$tmp/got"
same "$tmp/want" "$tmp/got" 'two veth: names, MTU, MAC, addresses, routes'

ip -n "$box" -o addr show | grep -v ' lo ' >"$tmp/left"
same /dev/null "$tmp/left" 'two veth: the container has no address left'
in_box "$probe" setup >"$tmp/out" 2>"$tmp/again"
like "$tmp/again" 'interface runqtap0: macvtap cannot be moved into a VM \(allowed: veth, macvlan\)' \
    'two veth: not done twice'

for i in 0 1; do
	in_host busybox ping -c 1 -W 5 10.99.$i.2 >"$tmp/out"
	ok $? "eth$i: IPv4 from the host"
	in_host busybox ping -c 1 -W 5 fd99:$i::2 >"$tmp/out"
	ok $? "eth$i: IPv6 from the host"
	in_guest busybox ping -c 1 -W 5 10.99.$i.1 >"$tmp/out"
	ok $? "eth$i: IPv4 from the guest"
	in_guest busybox ping -c 1 -W 5 fd99:$i::1 >"$tmp/out"
	ok $? "eth$i: IPv6 from the guest"
done
in_guest busybox ping -c 1 -W 5 -s 1372 10.99.1.1 >"$tmp/out"
ok $? 'eth1: a frame as long as the MTU'

head -c 8000000 /dev/urandom >"$tmp/data"
in_guest socat -u TCP-LISTEN:7000,bind=10.99.0.2 "CREATE:$tmp/copy" &
server=$!
eventually in_host socat -u "OPEN:$tmp/data" TCP:10.99.0.2:7000 2>"$tmp/out"
wait $server
cmp "$tmp/data" "$tmp/copy"
ok $? '8 MB by TCP into the guest'

ip -n "$host" -6 addr show dev h0 scope link >"$tmp/out"
eventually sh -c "! ip -n $host -6 addr show dev h0 tentative | grep -q inet6"
in_host "$probe" advertise h0
eventually has_addr "$guest" 2001:db8:77:
ok $? 'a router advertisement reaches the guest'
! has_addr "$box" 2001:db8:77:
ok $? "and makes no address in the container's own stack"
ip -n "$host" link set h0 down
ip -n "$host" link set h0 up
eventually sh -c "! ip -n $host -6 addr show dev h0 tentative | grep -q inet6"
in_host "$probe" advertise h0
in_guest busybox ping -c 1 -W 5 10.99.0.1 >"$tmp/out"
! has_addr "$box" 2001:db8:77:
ok $? 'nor after the link was down'
end

# ---- ports that the engine redirects (Docker Swarm) ----
for tables in iptables-nft iptables-legacy; do
	begin
	wire 0
	wire 1
	if ! in_box $tables -t nat -L >"$tmp/out" 2>"$tmp/err"; then
		ok 0 "$tables: redirections # SKIP $(head -n 1 "$tmp/err")"
		end
		continue
	fi
	redirect() { in_box $tables -t nat -A PREROUTING "$@"; }
	redirect -d 10.99.0.2 -p tcp --dport 8080 -j REDIRECT --to-port 80
	redirect -d 10.99.0.2 -p udp --dport 8081 -j REDIRECT --to-port 81
	redirect -d 10.99.0.2 -p sctp --dport 8082 -j REDIRECT --to-port 82
	in_box $tables -t nat -A OUTPUT -d 10.99.0.2 -p tcp --dport 9 \
	    -j REDIRECT --to-port 10
	redirect -d 10.99.1.2 -p tcp --dport 7 -j DNAT --to 10.99.1.2:8
	start_vm
	vm_runs "$tables: set up"
	same /dev/null "$tmp/stderr" "$tables: no warning"
	sed 's/.*"redirects":/"redirects":/' "$tmp/json" >"$tmp/got"
	cat >"$tmp/want" <<-'END'
	"redirects":[{"protocol":"tcp","address":"10.99.0.2","port":8080,"to":80},{"protocol":"udp","address":"10.99.0.2","port":8081,"to":81},{"protocol":"sctp","address":"10.99.0.2","port":8082,"to":82}]}
	END
	same "$tmp/want" "$tmp/got" "$tables: what is carried"
	serve 80
	serve 8080
	serve_udp 81
	answers 80 TCP:10.99.0.2:8080
	ok $? "$tables: the published port leads to the other"
	answers 81 UDP:10.99.0.2:8081
	ok $? "$tables: by UDP, too"
	answers 80 TCP:10.99.0.2:80
	ok $? "$tables: the other is there itself"
	serve 99
	answers 99 TCP:10.99.1.2:99
	ok $? "$tables: an address without redirections has all its ports"
	answers 8080 TCP:10.99.1.2:8080
	ok $? "$tables: and no translation"
	! answers 99 TCP:10.99.0.2:99,connect-timeout=1
	ok $? "$tables: the address with some has no other port"
	in_host busybox ping -c 1 -W 5 10.99.0.2 >"$tmp/out"
	ok $? "$tables: but answers pings"
	kill "${servers[@]}"
	wait "${servers[@]}" 2>/dev/null
	servers=()
	end
done

begin
wire 0
wire 1
if in_box iptables -t nat -A PREROUTING -d 10.99.0.0/24 -p tcp --dport 80 \
    -j REDIRECT --to-port 81 2>"$tmp/err"; then
	start_vm
	vm_runs 'a redirection of a whole network: set up'
	like "$tmp/stderr" 'redirects ports in a way that is not carried' \
	    'a redirection of a whole network: a warning'
fi
end

# ---- an interface that appears when the agent waits for it ----
begin
wire 0
state "$box" >"$tmp/want"
start_vm late
vm_runs 'late: set up'
state "$guest" >"$tmp/got"
same "$tmp/want" "$tmp/got" 'late: configured when it appears'
end_vm
sed 's/"mac":"[^"]*"/"mac":"02:00:00:00:00:99"/' "$tmp/json" |
    in_guest "$probe" guest 50 2>"$tmp/err"
like "$tmp/err" 'interface eth0: no device with MAC address 02:00:00:00:00:99 appeared within 50 ms' \
    'an interface that never appears ends at the deadline'
ip -n "$guest" link add eth0 type bridge
ip -n "$guest" link add other type bridge
mac=$(ip -n "$guest" -o link show other | sed 's/.*ether \([^ ]*\).*/\1/')
sed "s/\"mac\":\"[^\"]*\"/\"mac\":\"$mac\"/" "$tmp/json" |
    in_guest "$probe" guest 1000 2>"$tmp/err"
like "$tmp/err" 'interface eth0: rename to eth0: .*File exists' \
    'a name that is taken is named'
end

# ---- IPv6 off, as Docker has it without an IPv6 network ----
begin
wire 0
in_box sh -c 'for i in all default eth0; do
	echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'
start_vm
vm_runs 'IPv6 off: set up'
in_guest sh -c 'cat /proc/sys/net/ipv6/conf/*/disable_ipv6' | sort -u >"$tmp/got"
echo 1 >"$tmp/want"
same "$tmp/want" "$tmp/got" 'IPv6 off: it is off in the guest'
ip -n "$guest" -6 addr >"$tmp/got"
same /dev/null "$tmp/got" 'IPv6 off: no address, not even ::1'
in_host busybox ping -c 1 -W 5 10.99.0.2 >"$tmp/out"
ok $? 'IPv6 off: IPv4 works'
end

# ---- IPv6 on one network of two, as Docker has it ----
begin
wire 0
wire 1
in_box sh -c 'cd /proc/sys/net/ipv6/conf; echo 1 >all/disable_ipv6
	echo 0 >lo/disable_ipv6; echo 0 >eth0/disable_ipv6'
ip -n "$box" addr add fd99:0::2/64 dev eth0 nodad
in_box sh -c 'cd /proc/sys/net/ipv6/conf; head */disable_ipv6' |
    grep -A1 -E 'all|lo|eth' >"$tmp/want"
start_vm
vm_runs 'IPv6 on one of two: set up'
in_guest sh -c 'cd /proc/sys/net/ipv6/conf; head */disable_ipv6' |
    grep -A1 -E 'all|lo|eth' >"$tmp/got"
same "$tmp/want" "$tmp/got" 'IPv6 on one of two: the same in the guest'
in_guest busybox ping -c 1 -W 5 ::1 >"$tmp/out"
ok $? 'IPv6 on one of two: ::1 answers'
in_host busybox ping -c 1 -W 5 fd99:0::2 >"$tmp/out"
ok $? 'IPv6 on one of two: from the host'
end

# ---- macvlan ----
begin
lan
ip -n "$host" link add link lan0 peer0 type macvlan mode bridge
ip -n "$host" addr add 10.99.5.1/24 dev peer0
ip -n "$host" addr add fd99:5::1/64 dev peer0 nodad
ip -n "$host" link set peer0 up
for i in 0 1; do
	ip -n "$host" link add link lan0 tmp0 type macvlan mode bridge
	ip -n "$host" link set tmp0 netns "$box"
	ip -n "$box" link set tmp0 name "eth$i"
	ip -n "$box" addr add "10.99.5.$((i + 2))/24" brd + dev "eth$i"
	ip -n "$box" addr add "fd99:5::$((i + 2))/64" dev "eth$i" nodad
	ip -n "$box" link set "eth$i" up
done
ip -n "$box" route add default via 10.99.5.1
state "$box" >"$tmp/want"
start_vm
vm_runs 'macvlan: set up'
state "$guest" >"$tmp/got"
same "$tmp/want" "$tmp/got" 'macvlan: MAC, addresses, routes'
for a in 10.99.5.2 10.99.5.3 fd99:5::2 fd99:5::3; do
	in_host busybox ping -c 1 -W 5 $a >"$tmp/out"
	ok $? "macvlan: $a from a neighbour"
done
in_guest busybox ping -c 1 -W 5 fd99:5::1 >"$tmp/out"
ok $? 'macvlan: IPv6 from the guest'
end

# ---- what is refused leaves everything as it was ----
all_of() {
	ip -n "$1" -d link | sed 's/promiscuity.*//'
	ip -n "$1" addr
	ip -n "$1" route show table all
	ip -n "$1" -6 rule
}

refused() { # refused REGEX NAME
	eventually carriers
	all_of "$box" >"$tmp/want"
	in_box "$probe" setup >"$tmp/out" 2>"$tmp/err"
	[ $? -eq 1 ]
	ok $? "$2: refused"
	like "$tmp/err" "$1" "$2: named"
	all_of "$box" >"$tmp/got"
	same "$tmp/want" "$tmp/got" "$2: nothing changed"
	[ -z "$(find /dev -name 'runqtap*')" ]
	ok $? "$2: no device node left"
}

carriers() {
	! ip -n "$box" link | grep -q NO-CARRIER &&
	    ! ip -n "$box" addr | grep -q tentative
}

begin
wire 0
ip -n "$box" link add br0 type bridge
refused 'interface br0: bridge cannot be moved into a VM \(allowed: veth, macvlan\)' \
    'a bridge'
ip -n "$box" link del br0
ip -n "$box" route add 192.0.2.0/24 nexthop via 10.99.0.1 \
    nexthop via 10.99.0.3
refused 'route 192.0.2.0/24: multipath routes are not supported' \
    'a multipath route'
ip -n "$box" route del 192.0.2.0/24
lan
ip -n "$host" link add link lan0 tmp0 type macvlan mode passthru
ip -n "$host" link set tmp0 netns "$box"
refused 'interface tmp0: macvlan in mode passthru' 'a passthru macvlan'
end

# A macvlan of another namespace on the second veth: no passthru beside it.
begin
lan
ip -n "$host" link add link lan0 tmp0 type macvlan mode bridge
ip -n "$host" link set tmp0 netns "$box"
ip -n "$box" link set tmp0 up
wire 0
wire 1
ip -n "$box" link add link eth1 mv0 type macvlan mode bridge
ip -n "$box" link set mv0 netns "$guest"
state "$box" >"$tmp/want"
in_box "$probe" setup >"$tmp/out" 2>"$tmp/err"
[ $? -eq 1 ]
ok $? 'the last of three fails: refused'
like "$tmp/err" 'interface eth1: macvtap: ' 'the last of three fails: named'
state "$box" >"$tmp/got"
same "$tmp/want" "$tmp/got" 'the last of three fails: the others are undone'
end

# ---- nothing to carry ----
begin
in_box "$probe" setup >"$tmp/json" 2>"$tmp/err"
echo '{"ipv6":{"all":true,"lo":true},"interfaces":[],"routes":[]}' >"$tmp/want"
same "$tmp/want" "$tmp/json" 'lo alone: an empty configuration'
in_guest "$probe" guest 0 <"$tmp/json"
ok $? 'lo alone: the agent takes it'
in_guest busybox ping -c 1 -W 5 127.0.0.1 >"$tmp/out"
ok $? 'lo alone: lo is up in the guest'
end

echo "1..$run"
[ $failed -eq 0 ]
