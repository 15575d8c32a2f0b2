import { request } from 'node:http';

/** The least that a check can cost: plain Node, a new connection per request, nothing else. Prints its figures as JSON. */
const [url, seconds] = [process.argv[2]!, Number(process.argv[3])];
const CONCURRENCY = 32;
const before = process.cpuUsage();
const startedAt = performance.now();
let done = 0;

async function loop(): Promise<void> {
  while (performance.now() - startedAt < seconds * 1000) {
    await new Promise<void>((resolve, reject) => {
      request(url, { agent: false }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
    done += 1;
  }
}

await Promise.all(Array.from({ length: CONCURRENCY }, loop));
const cpu = process.cpuUsage(before);
process.stdout.write(
  JSON.stringify({ perSecond: done / seconds, cpuMsPerCheck: (cpu.user + cpu.system) / 1000 / done }),
);
