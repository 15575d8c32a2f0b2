/** Header names that this library reads and writes. */
export const HEADER = {
  id: 'Nats-Msg-Id',
  deadline: 'Tocsin-Deadline',
  error: 'Tocsin-Error',
  reply: 'Tocsin-Reply',
  operation: 'Tocsin-Operation',
  requestHash: 'Tocsin-Request-Hash',
  actor: 'Tocsin-Actor',
  token: 'Tocsin-Token',
  role: 'Tocsin-Role',
  route: 'Tocsin-Route',
  signature: 'Tocsin-Signature',
  signedAt: 'Tocsin-Signed-At',
  redriven: 'Tocsin-Redriven',
  urgent: 'Tocsin-Urgent',
} as const;
