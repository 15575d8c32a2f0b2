import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { freePort } from '@tocsin/testing/servers';
import { BadRequest, parseNames, parseSelector } from './control-requests.ts';
import { NoSuchLink, type Links } from './links.ts';

const MAX_BODY = 65_536;

/** What the control port steers. */
export interface Controlled {
  links: Pick<Links, 'list' | 'cut' | 'heal'>;
  /** The names that can be held. */
  names(): string[];
  hold(name: string): void;
  release(name: string): void;
}

/** JSON over HTTP on 127.0.0.1, for a drill only: cuts links, and keeps what it ended from being started again. */
export class ControlPort {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @throws when no port is free */
  static async start(controlled: Controlled): Promise<ControlPort> {
    const server = createServer((request, response) => void serve(controlled, request, response));
    const port = await freePort();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return new ControlPort(server, `http://127.0.0.1:${port}`);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

async function serve(controlled: Controlled, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  try {
    const done = await carryOut(controlled, `${request.method} ${request.url}`, request);
    if (done === undefined) answer(404, { error: 'there is GET /links, POST /cut, /heal, /hold and /release' });
    else answer(200, done);
  } catch (error) {
    const status = error instanceof BadRequest || error instanceof NoSuchLink ? 400 : 500;
    answer(status, { error: `${request.url} ${error instanceof Error ? error.message : String(error)}` });
  }
}

async function carryOut(controlled: Controlled, what: string, request: IncomingMessage): Promise<unknown> {
  const { links } = controlled;
  switch (what) {
    case 'GET /links':
      return links.list();
    case 'POST /cut':
      return await links.cut(parseSelector(await bodyOf(request), { all: false }));
    case 'POST /heal':
      return await links.heal(parseSelector(await bodyOf(request), { all: true }));
    case 'POST /hold':
      return each(parseNames(await bodyOf(request), controlled.names()), (name) => controlled.hold(name));
    case 'POST /release':
      return each(parseNames(await bodyOf(request), controlled.names()), (name) => controlled.release(name));
    default:
      return undefined;
  }
}

function each(names: string[], act: (name: string) => void): { names: string[] } {
  for (const name of names) act(name);
  return { names };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_BODY) throw new BadRequest(`takes at most ${MAX_BODY} characters`);
  }
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new BadRequest('takes JSON');
  }
}
