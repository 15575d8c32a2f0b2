import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { asciiHost } from '@tocsin/core';
import { CheckFailure, ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { storeFor, usual } from './authority.ts';
import { endsFirst, type PathCertificate, pathOf } from './certificate-path.ts';
import { dial } from './dial.ts';
import { handshakeFailure } from './handshake-failure.ts';
import { isFor } from './identity.ts';
import { checkFamily, type IpFamily } from './names.ts';
import { watchTlsRecords } from './tls-records.ts';
import { certificateFailure, OTHER_HOST, type Refusal } from './tls-failure.ts';

export interface TlsWish {
  verify: boolean;
  /** The name asked for (SNI) and looked for in the certificate, where it is not the host. */
  serverName?: string | undefined;
  /** Trust and protocol settings, shared among connections as they are costly to make. */
  secureContext?: SecureContext | undefined;
  /** Application protocols to offer (ALPN); none where the protocol behind is not known. */
  protocols?: string[] | undefined;
}

export interface Address {
  host: string;
  port: number;
  family: IpFamily;
  tls?: TlsWish | undefined;
}

/**
 * Opens a connection as one step of a run: name, TCP and, where wished, TLS, each with its time. When it returns,
 * the certificate has been verified, so that nothing is sent to a server that is not the one meant. The run's
 * `context.targets` has then allowed the very address that is connected.
 * @throws CheckFailure `dns`, `target`, `connect`, `tls`, `resources`
 */
export function connect(run: Run, wish: Address): Promise<Socket> {
  const to = inAscii(wish);
  checkFamily(to.host, to.family);
  return run.step<Socket>((done, fail) => {
    const { clock, targets } = run.context;
    let since = clock.monotonic();
    const lap = (): number => {
      const before = since;
      since = clock.monotonic();
      return since - before;
    };
    run.phase = isIP(to.host) === 0 ? `resolving ${to.host}` : 'connecting';
    let unlisten = (): void => undefined;

    const cancel = dial(
      { ...to, targets, budgetMs: run.remainingMs(), open: (address) => run.own(open(to, address)) },
      {
        resolved(addresses) {
          run.spent('dnsMs', lap());
          run.phase = addresses.length === 1 ? 'connecting' : `connecting to ${addresses.slice(0, 8).join(' and ')}`;
        },
        connected(socket) {
          run.spent('connectMs', lap());
          if (!to.tls) return done(socket);
          run.phase = 'in the TLS handshake';
          const onSecure = (): void => {
            run.spent('tlsMs', lap());
            const refused = judge(run, socket as TLSSocket, { ...to, tls: to.tls! });
            if (refused) return fail(refused);
            run.atEnd(watchTlsRecords(socket as TLSSocket, () => run.stop(tooManyRecords())));
            done(socket);
          };
          const onError = (error: NodeJS.ErrnoException): void => fail(ownFailure(error) ?? handshakeFailure(error));
          socket.on('error', onError).on('secureConnect', onSecure);
          unlisten = () => socket.off('error', onError).off('secureConnect', onSecure);
        },
        failed: fail,
      },
    );
    return () => {
      cancel();
      unlisten();
    };
  });
}

/** The same with its names as they are asked for. */
function inAscii(to: Address): Address {
  const host = asciiHost(to.host) ?? to.host;
  if (to.tls?.serverName === undefined) return { ...to, host };
  return { ...to, host, tls: { ...to.tls, serverName: asciiHost(to.tls.serverName) ?? to.tls.serverName } };
}

function open(to: Address, address: string): Socket {
  if (!to.tls) return connectTcp({ host: address, port: to.port });
  const name = to.tls.serverName ?? to.host;
  return connectTls({
    host: address,
    port: to.port,
    // An address is not sent as a name (RFC 6066), but the certificate is compared with it all the same.
    servername: isIP(name) === 0 ? name.replace(/\.$/, '') : '',
    secureContext: to.tls.secureContext ?? usual(),
    ...(to.tls.protocols && { ALPNProtocols: to.tls.protocols }),
    // Judged by us once the handshake is over, when the certificate can still be read and its fault be named.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
}

function tooManyRecords(): CheckFailure {
  return new CheckFailure('tls', 'tls: the server sends tickets or keys without end, and little else');
}

function judge(run: Run, socket: TLSSocket, to: Address & { tls: TlsWish }): CheckFailure | undefined {
  const certificate = socket.getPeerX509Certificate();
  const now = run.context.clock.now();
  const path = certificate ? pathOf(certificate, storeFor(to.tls.secureContext ?? usual()), now) : [];
  if (path.length > 0) note(run, to.host, endsFirst(path));
  if (!to.tls.verify) return undefined;
  const name = to.tls.serverName ?? to.host;
  if (!socket.authorized) return certificateFailure(refusalOf(socket), path, { name, now });
  return certificate && isFor(certificate, name) ? undefined : certificateFailure(OTHER_HOST, path, { name, now });
}

/** Of all certificates on a check's way, the one that ends first counts. */
function note(run: Run, host: string, { certificate, name }: PathCertificate): void {
  const expiresAt = certificate.validToDate.getTime();
  if (run.certificate && run.certificate.expiresAt <= expiresAt) return;
  run.certificate = { expiresAt, name, host };
  run.facts.certificateExpiresAt = expiresAt;
}

/** Node keeps the code alone, which for many refusals is UNSPECIFIED; its handle still has OpenSSL's sentence. */
function refusalOf(socket: TLSSocket): Refusal {
  const handle = (socket as { _handle?: { verifyError?(): Error | null } | null })._handle;
  // Node documents an error here, and sets its code.
  return { code: String(socket.authorizationError), text: handle?.verifyError?.()?.message ?? '' };
}
