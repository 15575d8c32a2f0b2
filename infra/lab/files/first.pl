# The first process of a host. It does what Node can't: it is the parent of every unit's processes (keepalived
# speaks to systemd only if that is its parent), buries orphans, and hears what services tell systemd. Every Debian has Perl.
# What to do comes in lines from its one child, which its arguments name; words are separated by spaces and escaped as in
# a URL:
#   spawn ID LOG WORD…   answered by: spawned ID PID, and later: ended PID STATUS
#   listen PATH          from then on: said PATH LINE
use strict;
use warnings;
use Fcntl;
use IO::Handle;
use IO::Select;
use Socket;

$0 = 'systemd';
pipe( my $orders,  my $orders_in )  or die "pipe: $!";
pipe( my $reports, my $reports_in ) or die "pipe: $!";
pipe( my $bell,    my $bell_in )    or die "pipe: $!";
$_->blocking(0) for $bell, $bell_in;

my $mind = fork // die "fork: $!";
if ( $mind == 0 ) {
    # It is told which of its files are which; these two alone stay open in it.
    fcntl( $_, F_SETFD, 0 ) or die "fcntl: $!" for $reports, $orders_in;
    exec { $ARGV[0] } @ARGV, fileno($reports), fileno($orders_in) or die "$ARGV[0]: $!";
}
close $_ for $orders_in, $reports;
open STDIN, '<', '/dev/null';
$SIG{CHLD} = sub { syswrite $bell_in, 'x' };
$SIG{PIPE} = 'IGNORE';

my %heard_at;
my $all  = IO::Select->new( $orders, $bell );
my $rest = '';

sub report { syswrite $reports_in, join( ' ', @_ ) . "\n" }
sub escape { my $text = shift; $text =~ s/([^\w.\/=-])/sprintf '%%%02X', ord $1/ge; $text }

sub spawn {
    my ( $id, $log, @command ) = @_;
    my $pid = fork // return report( 'spawned', $id, 0 );
    return report( 'spawned', $id, $pid ) if $pid;
    $SIG{$_} = 'DEFAULT' for qw(CHLD PIPE);
    open STDOUT, '>>', $log;
    open STDERR, '>&', \*STDOUT;
    no warnings 'exec';
    exec { $command[0] } @command;
    kill 'KILL', $$;
}

sub listen_at {
    my $path = shift;
    socket( my $socket, AF_UNIX, SOCK_DGRAM, 0 ) or die "socket: $!";
    unlink $path;
    bind( $socket, pack_sockaddr_un($path) ) or die "$path: $!";
    chmod 0777, $path;
    $heard_at{ fileno $socket } = $path;
    $all->add($socket);
}

sub obey {
    my ( $what, @words ) = map { s/%(..)/chr hex $1/ger } split / /, shift;
    if    ( $what eq 'spawn' )  { spawn(@words) }
    elsif ( $what eq 'listen' ) { listen_at(@words) }
}

while (1) {
    for my $ready ( $all->can_read ) {
        if ( $ready == $bell ) {
            1 while sysread $bell, my $rings, 512;
            while ( ( my $pid = waitpid -1, 1 ) > 0 ) {
                exit 0 if $pid == $mind;
                report( 'ended', $pid, $? );
            }
        }
        elsif ( $ready == $orders ) {
            exit 0 unless sysread $orders, $rest, 65536, length $rest;
            obey($1) while $rest =~ s/^(.*)\n//;
        }
        elsif ( defined recv $ready, my $text, 8192, 0 ) {
            report( 'said', escape( $heard_at{ fileno $ready } ), escape($_) ) for split /\n/, $text;
        }
    }
}
