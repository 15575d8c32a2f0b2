/** Bodies of requests that work as they are: a spec parses each by its route's schema. What is optional is mostly left out. */

const monitors = {
  'A website': {
    kind: 'http',
    name: 'Website',
    interval: '30s',
    settings: { url: 'https://example.com/', acceptedStatus: ['200-299'] },
  },
  'A website, in words that it must hold, and soon enough': {
    kind: 'http',
    name: 'Website, in detail',
    interval: '1m',
    timeout: '5s',
    tags: ['shop'],
    settings: {
      url: 'https://example.com/',
      assertions: [
        { type: 'body', op: 'contains', value: 'Example Domain' },
        { type: 'response_time', lessThan: '2s' },
      ],
    },
  },
  'A port': { kind: 'tcp', name: 'Mail', settings: { host: 'mail.example.com', port: 25, expect: '220' } },
  'A job that reports': {
    kind: 'heartbeat',
    name: 'Nightly backup',
    settings: { schedule: { cron: '0 3 * * *', timezone: 'UTC' }, grace: '30m' },
  },
};

const channels = {
  'A webhook': { kind: 'webhook', name: 'Chat', settings: { url: 'https://example.com/hook' } },
  'E-mail': {
    kind: 'email',
    name: 'On call',
    settings: {
      to: ['on-call@example.com'],
      from: 'tocsin@example.com',
      smtp: { host: 'mail.example.com', port: 587, security: 'starttls' },
    },
  },
};

export const examples = {
  monitors,
  channels,
  monitorPatch: {
    'Check more often': { interval: '15s' },
    'No description, and no tags': { description: null, tags: [] },
  },
  tokens: {
    'For a dashboard': { name: 'dashboard', role: 'viewer' },
    'For a script': { name: 'deploy', role: 'editor' },
  },
  acknowledge: { 'With a note': { note: 'I am looking into it' }, 'Without a word': {} },
  note: { 'A note': { text: 'The disk was full; it is being emptied' } },
  heartbeat: { 'What a job printed': 'backed up 1,204 files' },
} as const;
