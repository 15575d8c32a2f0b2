import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/**
 * Stores a message in whatever stream takes its subject, past every schema: what a broken or hostile program would send.
 * @throws when no stream takes it
 */
export async function publishRaw(
  nats: { urls: string[]; user: string; password: string },
  messages: readonly { subject: string; body: string }[],
): Promise<void> {
  const connection = await connect({ servers: nats.urls, user: nats.user, pass: nats.password });
  try {
    for (const { subject, body } of messages) await jetstream(connection).publish(subject, body);
  } finally {
    await connection.close();
  }
}
