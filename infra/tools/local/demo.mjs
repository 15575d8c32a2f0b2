// Something to watch and something that rings, for the README's quick start: a page that can be broken, and a webhook
// receiver that prints what it is told. It needs nothing but Node. Usage: node infra/tools/local/demo.mjs [port, default 9000]
import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 9000);
const MOST_BODY_BYTES = 100_000;
let broken = false;

const answers = {
  'GET /page': (answer) => answer(broken ? 503 : 200, broken ? 'broken' : 'fine'),
  'POST /break': (answer) => answer(200, 'GET /page answers 503 from now on', (broken = true)),
  'POST /mend': (answer) => answer(200, 'GET /page answers 200 from now on', (broken = false)),
  'POST /alarm': (answer, body) => answer(200, 'heard', ring(body)),
};

function ring(body) {
  try {
    const { kind, monitor, incident } = JSON.parse(body);
    console.log(`ALARM ${kind}: ${monitor?.name ?? 'a test'}${incident ? ` (${incident.message})` : ''}`);
  } catch {
    console.log(`ALARM that is not JSON: ${body.slice(0, 200)}`);
  }
}

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
    if (body.length > MOST_BODY_BYTES) request.destroy();
  });
  request.on('end', () => {
    const answer = (status, text) => response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
    const known = Object.hasOwn(answers, `${request.method} ${request.url}`);
    if (known) answers[`${request.method} ${request.url}`](answer, body);
    else answer(404, `There is ${Object.keys(answers).join(', ')}`);
  });
});

server.on('error', (error) => {
  console.error(`Port ${port} can't be used (${error.code}). Give another one: node infra/tools/local/demo.mjs 9100`);
  process.exitCode = 1;
});
server.listen(port, '127.0.0.1', () => console.log(`A page and a receiver of alarms are at http://127.0.0.1:${port}`));
