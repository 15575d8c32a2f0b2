# Asks again and again, and at SIGTERM prints what it got: [[when, "from whom", after how long], …], all in milliseconds, since
# the machine's start. Where no answer came in time, there is no name.
#   ask.pl connect ADDRESS PORT EVERY TIMEOUT         over a new connection each time
#   ask.pl hold ADDRESS PORT EVERY TIMEOUT NAME       over one connection, to the server of that name, until it breaks
#   ask.pl datagram ADDRESS PORT EVERY TIMEOUT        not waiting for one answer before it asks again
use strict;
use warnings;
use Errno qw(EINPROGRESS);
use Fcntl qw(F_SETFL O_NONBLOCK);
use Socket qw(PF_INET SOCK_DGRAM SOCK_STREAM SOL_SOCKET SO_ERROR inet_aton sockaddr_in);

my ($kind, $address, $port, $every, $timeout, $name) = @ARGV;
my $to = sockaddr_in($port, inet_aton($address));
my $over = 0;
my @answers;
$SIG{TERM} = sub { $over = 1 };
$SIG{PIPE} = 'IGNORE';

my %kinds = (connect => \&connect_each, hold => \&hold_one, datagram => \&datagrams);
$kinds{$kind}->();
print '[', join(',', map { sprintf '[%d,"%s",%.1f]', @$_ } @answers), "]\n";

sub connect_each {
    regularly(sub {
        my ($deadline) = @_;
        my $socket = opened($deadline);
        return $socket ? answer_of($socket, $deadline) : '';
    });
}

sub hold_one {
    my $held;
    until ($over) {
        my $deadline = now() + 1000;
        $held = opened($deadline);
        last if $held && answer_of($held, $deadline) eq $name;
        nap(50);
    }
    regularly(sub {
        return '' unless $held;
        my $from = answer_of($held, @_);
        undef $held if $from eq '';
        return $from;
    });
}

# Calls it every so many milliseconds, with the time until which it may wait.
sub regularly {
    my ($ask) = @_;
    my $next = now();
    until ($over) {
        my $began = now();
        my $from = $ask->($began + $timeout);
        my $ended = now();
        push @answers, [$ended, $from, $ended - $began] unless $over;
        $next = $ended if ($next += $every) < $ended;
        nap($next - $ended);
    }
}

sub datagrams {
    socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
    fcntl($socket, F_SETFL, O_NONBLOCK);
    connect($socket, $to) or die "connect: $!";
    my (%sent, $number);
    my $next = now();
    until ($over) {
        if (now() >= $next) {
            $sent{++$number} = now();
            send($socket, $number, 0);
            $next += $every;
        }
        if (ready($socket, 0, $next)) {
            while (defined recv($socket, my $text, 200, 0)) {
                my ($from, $which) = split / /, $text;
                my $began = delete $sent{$which};
                push @answers, [now(), $from, now() - $began] if defined $began;
            }
        }
        for my $late (grep { $sent{$_} + $timeout < now() } keys %sent) {
            push @answers, [now(), '', now() - delete $sent{$late}];
        }
    }
}

sub opened {
    my ($deadline) = @_;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
    fcntl($socket, F_SETFL, O_NONBLOCK);
    return $socket if connect($socket, $to);
    return unless $! == EINPROGRESS && ready($socket, 1, $deadline);
    return unpack('i', getsockopt($socket, SOL_SOCKET, SO_ERROR)) == 0 ? $socket : undef;
}

sub answer_of {
    my ($socket, $deadline) = @_;
    return '' unless syswrite($socket, "GET / HTTP/1.1\r\nHost: edge\r\n\r\n");
    my $text = '';
    while ($text !~ /\r\n\r\n(\w+)\n/) {
        return '' unless ready($socket, 0, $deadline) && sysread($socket, $text, 4096, length $text);
    }
    return $text =~ /\r\n\r\n(\w+)\n/ ? $1 : '';
}

sub ready {
    my ($socket, $to_write, $deadline) = @_;
    my $left = $deadline - now();
    return 0 if $left <= 0;
    my $bits = '';
    vec($bits, fileno $socket, 1) = 1;
    my ($in, $out) = $to_write ? (undef, $bits) : ($bits, undef);
    return select($in, $out, undef, $left / 1000) > 0;
}

sub nap {
    my ($milliseconds) = @_;
    select(undef, undef, undef, $milliseconds / 1000) if $milliseconds > 0 && !$over;
}

# clock_gettime(CLOCK_MONOTONIC), which is what /proc/uptime shows.
sub now {
    my $time = "\0" x 16;
    syscall(228, 1, $time);
    my ($seconds, $nanoseconds) = unpack 'qq', $time;
    return $seconds * 1000 + $nanoseconds / 1_000_000;
}
