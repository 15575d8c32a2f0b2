# Says its name to whoever asks: over HTTP at the given TCP ports, and to each datagram at port 7, with what that held.
#   serve.pl NAME [PORT…]
use strict;
use warnings;
use Socket qw(INADDR_ANY PF_INET SOCK_DGRAM SOCK_STREAM SOL_SOCKET SO_REUSEADDR sockaddr_in);

my ($name, @ports) = @ARGV;
my $body = "$name\n";
my (%doors, %callers, %said);
$SIG{PIPE} = 'IGNORE';

socket(my $echo, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
bind($echo, sockaddr_in(7, INADDR_ANY)) or die "bind: $!";
for my $port (@ports) {
    socket(my $door, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
    setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
    bind($door, sockaddr_in($port, INADDR_ANY)) or die "bind: $!";
    listen($door, 200) or die "listen: $!";
    $doors{fileno $door} = $door;
}

while (1) {
    my $ready = '';
    vec($ready, $_, 1) = 1 for fileno $echo, keys %doors, keys %callers;
    next unless select($ready, undef, undef, undef) > 0;
    echo() if vec($ready, fileno $echo, 1);
    for my $number (grep { vec($ready, $_, 1) } keys %doors) {
        next unless accept(my $caller, $doors{$number});
        ($callers{fileno $caller}, $said{fileno $caller}) = ($caller, '');
    }
    answer($_) for grep { vec($ready, $_, 1) } keys %callers;
}

sub echo {
    my $from = recv($echo, my $text, 200, 0);
    send($echo, "$name $text", 0, $from) if defined $from;
}

sub answer {
    my ($number) = @_;
    my $caller = $callers{$number};
    my $goes_on = sysread($caller, $said{$number}, 4096, length $said{$number});
    while ($goes_on && $said{$number} =~ s/^(.*?)\r\n\r\n//s) {
        my $last = $1 =~ m{HTTP/1\.0|^Connection: close}mi;
        my $length = length $body;
        syswrite($caller, "HTTP/1.1 200 OK\r\nContent-Length: $length\r\n\r\n$body");
        $goes_on = 0 if $last;
    }
    return if $goes_on;
    close $caller;
    delete $callers{$number};
}
