import { type AddressInfo, createServer, type Socket } from 'node:net';
import { atTheEnd } from '@tocsin/testing';

export interface Received {
  from: string;
  to: string[];
  text: string;
}

/** A mail server that answers as it is told to: `reply` may answer a command, or the end of a mail, which is `.`. */
export async function mailServer(
  reply: (line: string) => string | undefined = () => undefined,
  extensions: readonly string[] = ['PIPELINING', '8BITMIME', 'SMTPUTF8'],
): Promise<{ port: number; mails: Received[]; lines: string[] }> {
  const mails: Received[] = [];
  const lines: string[] = [];
  const server = createServer((socket) => serve(socket, { mails, lines, reply, extensions }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(() => void server.close());
  return { port: (server.address() as AddressInfo).port, mails, lines };
}

interface Desk {
  mails: Received[];
  lines: string[];
  reply: (line: string) => string | undefined;
  extensions: readonly string[];
}

function serve(socket: Socket, { mails, lines, reply, extensions }: Desk): void {
  let mail: Received = { from: '', to: [], text: '' };
  let inData = false;
  let rest = '';
  const say = (text: string): void => void socket.write(`${text}\r\n`);
  const told = (line: string): void => {
    lines.push(line);
    const [verb = ''] = line.toUpperCase().split(' ');
    const given = reply(line);
    const answer = given ?? (verb === 'DATA' ? '354 go' : '250 ok');
    if (verb === 'EHLO') say(['250-here', ...extensions.map((name) => `250-${name}`), '250 SIZE'].join('\r\n'));
    else say(answer);
    if (verb === 'MAIL') mail = { from: line.slice(10), to: [], text: '' };
    if (verb === 'RCPT' && answer.startsWith('2')) mail.to.push(/<(.*)>/.exec(line)?.[1] ?? '');
    if (verb === 'DATA') inData = answer.startsWith('354');
  };
  socket.on('error', () => undefined);
  say('220 here');
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('utf8');
    for (;;) {
      const end = rest.indexOf(inData ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const piece = rest.slice(0, end);
      rest = rest.slice(end + (inData ? 5 : 2));
      if (!inData) told(piece);
      else {
        inData = false;
        const answer = reply('.') ?? '250 queued';
        if (answer.startsWith('2')) mails.push({ ...mail, text: piece });
        say(answer);
      }
    }
  });
}
