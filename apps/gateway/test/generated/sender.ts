import { Agent, request as send } from 'node:http';
import type { Answered } from './judge.ts';
import type { Generated } from './generator.ts';

const TIMEOUT_MS = 20_000;

/** Sends requests as they are, many at a time over connections that stay. */
export class Sender {
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    private readonly atOnce: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  }

  /** All answers, in the order of the requests. @throws when a connection breaks: every request has an answer */
  async all(requests: readonly Generated[]): Promise<Answered[]> {
    const answers: Answered[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let n = next++; n < requests.length; n = next++) answers[n] = await this.one(requests[n]!);
    };
    await Promise.all(Array.from({ length: this.atOnce }, work));
    return answers;
  }

  close(): void {
    this.agent.destroy();
  }

  private one({ method, path, headers, body }: Generated): Promise<Answered> {
    const { hostname, port } = new URL(this.url);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(
          new Error(`${method} ${path.slice(0, 200)} ${JSON.stringify(headers)} was not answered`, { cause: error }),
        );
      const options = { agent: this.agent, hostname, port, method, path, headers: { ...headers, ...length } };
      const sent = send({ ...options, timeout: TIMEOUT_MS }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        // Live events have no end.
        if (status === 200 && String(answered['content-type']).startsWith('text/event-stream')) {
          sent.destroy();
          return resolve({ status, headers: answered, text: '' });
        }
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status, headers: answered, text }));
        response.on('error', failed);
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.on('error', failed);
      sent.end(body);
    });
  }
}
