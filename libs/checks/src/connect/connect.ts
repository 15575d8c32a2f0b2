import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { dial } from './dial.ts';
import { checkFamily, type IpFamily } from './names.ts';
import { certificateFailure, handshakeFailure } from './tls-failure.ts';

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

let defaultContext: SecureContext | undefined;

/**
 * Opens a connection as one step of a run: name, TCP and, where wished, TLS, each with its time. When it returns,
 * the certificate has been verified, so that nothing is sent to a server that is not the one meant. The run's
 * `context.targets` has then allowed the very address that is connected.
 * @throws CheckFailure `dns`, `target`, `connect`, `tls`, `resources`
 */
export function connect(run: Run, to: Address): Promise<Socket> {
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
            const refused = judge(run, socket as TLSSocket, to);
            if (refused) fail(refused);
            else done(socket);
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

function open(to: Address, address: string): Socket {
  if (!to.tls) return connectTcp({ host: address, port: to.port });
  const name = to.tls.serverName ?? to.host;
  return connectTls({
    host: address,
    port: to.port,
    // An address is not sent as a name (RFC 6066), but the certificate is compared with it all the same.
    servername: isIP(name) === 0 ? name.replace(/\.$/, '') : '',
    secureContext: to.tls.secureContext ?? (defaultContext ??= createSecureContext()),
    ...(to.tls.protocols && { ALPNProtocols: to.tls.protocols }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    // Judged by us once the handshake is over, when the certificate can still be read and its fault be named.
    rejectUnauthorized: false,
  });
}

function judge(run: Run, socket: TLSSocket, to: Address): Error | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate) run.facts.certificateExpiresAt = certificate.validToDate.getTime();
  if (socket.authorized || !to.tls!.verify) return undefined;
  // Node documents an error here, and sets its code.
  const code = String(socket.authorizationError);
  return certificateFailure(code, certificate, { name: to.tls!.serverName ?? to.host, now: run.context.clock.now() });
}
