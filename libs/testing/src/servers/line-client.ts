import { connect } from 'node:net';

/**
 * Talks a few lines with a server over TCP: enough for a readiness write, without that server's client library.
 * Sends `lines` at once and resolves with everything received as soon as it matches `until`.
 * @throws when the connection fails, or `until` is not seen within 2 s.
 */
export function talk(port: number, lines: string, until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no expected answer; so far: ${received.slice(-300)}`)),
      2_000,
    );
    socket.once('connect', () => socket.write(lines));
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (!until.test(received)) return;
      socket.destroy();
      resolve(received);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error(`the connection was closed; so far: ${received.slice(-300)}`));
    });
  });
}
