import { connect as connectTcp, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { connectFailure } from './connect-failure.ts';
import { checkFamily, type IpFamily, nameFailure, resolveName } from './names.ts';
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

/** How long one of several addresses is tried before the next is tried too. */
const NEXT_ADDRESS_MS = 500;

let defaultContext: SecureContext | undefined;

/**
 * Opens a connection as one step of a run: name, TCP and, where wished, TLS, each with its time. When it returns,
 * the certificate has been verified, so that nothing is sent to a server that is not the one meant.
 * @throws CheckFailure `dns`, `connect`, `tls`, `resources`
 */
export function connect(run: Run, to: Address): Promise<Socket> {
  checkFamily(to.host, to.family);
  return run.step<Socket>((done, fail) => {
    const { clock } = run.context;
    let since = clock.monotonic();
    const lap = (): number => {
      const before = since;
      since = clock.monotonic();
      return since - before;
    };
    let stage: 'name' | 'tcp' | 'tls' = isIP(to.host) === 0 ? 'name' : 'tcp';
    run.phase = stage === 'name' ? `resolving ${to.host}` : 'connecting';

    const socket = run.own(
      open(to, (error) => {
        if (error) return;
        run.spent('dnsMs', lap());
        stage = 'tcp';
        run.phase = 'connecting';
      }),
    );
    const onConnect = (): void => {
      run.spent('connectMs', lap());
      if (!to.tls) return done(socket);
      stage = 'tls';
      run.phase = 'in the TLS handshake';
    };
    const onSecure = (): void => {
      run.spent('tlsMs', lap());
      const refused = judge(run, socket as TLSSocket, to);
      if (refused) fail(refused);
      else done(socket);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      if (stage === 'tls') fail(ownFailure(error) ?? handshakeFailure(error));
      else if (stage === 'name') fail(ownFailure(error) ?? nameFailure(error, to.host, to.family));
      else fail(connectFailure(error, to.host, to.port));
    };
    socket.on('error', onError).on('connect', onConnect);
    if (to.tls) socket.on('secureConnect', onSecure);
    return () => {
      socket.off('error', onError).off('connect', onConnect);
      if (to.tls) socket.off('secureConnect', onSecure);
    };
  });
}

function open(to: Address, resolved: (error: Error | null) => void): Socket {
  const lookup: LookupFunction = (host, how, answer) => {
    resolveName(host, to.family, (error, addresses) => {
      resolved(error);
      if (how.all || error) answer(error, addresses);
      else answer(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
  const options: TcpNetConnectOpts = {
    host: to.host,
    port: to.port,
    autoSelectFamily: to.family === 'any' && isIP(to.host) === 0,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    lookup,
  };
  if (!to.tls) return connectTcp(options);
  const name = to.tls.serverName ?? to.host;
  return connectTls({
    ...options,
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
