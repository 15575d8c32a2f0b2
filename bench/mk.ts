import { ApiClient } from '@tocsin/testing';
import { readFileSync } from 'node:fs';
const rt = JSON.parse(readFileSync('/tmp/tc1/runtime.json', 'utf8'));
const api = new ApiClient(rt.gateways, readFileSync('/tmp/tc1/admin-token', 'utf8').trim());
console.time('create');
await api.createMonitors(
  Array.from({ length: Number(process.argv[2]) }, (_, n) => ({
    kind: 'http',
    name: 'm' + n,
    interval: process.argv[3] ?? '1s',
    timeout: '1s',
    settings: { url: 'http://127.0.0.1:9123/' },
  })),
);
console.timeEnd('create');
