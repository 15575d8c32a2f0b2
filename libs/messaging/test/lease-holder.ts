import { Messaging, type MessagingContract } from '../src/index.ts';

/** A process that holds a lease and acts under it: `node lease-holder.ts <url> <lease> <ttlMs>`; one line per act. */
const [url, name, ttlMs] = process.argv.slice(2);
const contract: MessagingContract = { streams: [], buckets: [] };
const options = { service: 'holder', instance: 'holder', servers: [url!], replicas: 1 as const, contract };
const messaging = await Messaging.connect(options);

for (;;) {
  const lease = await messaging.leases
    .acquire(name!, { holder: 'holder', ttlMs: Number(ttlMs) })
    .catch(() => undefined);
  while (lease?.isHeld()) {
    process.stdout.write(`act ${lease.fence}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (lease) process.stdout.write(`lost ${await lease.lost}\n`);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
