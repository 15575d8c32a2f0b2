import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { atTheEnd } from './cleanup.ts';

/**
 * Takes every message off a stream as it arrives, as its only consumer, and tells of it: an oracle that sees what the
 * stream kept, doubles already dropped. The stream must exist. Ends with the test file.
 * @param on is given the parsed body and when the stream stored it, in milliseconds since the epoch
 */
export async function takeAll(
  natsUrl: string,
  of: { stream: string; filter: string },
  on: (data: unknown, storedAt: number) => void,
): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  atTheEnd(() => connection.close());
  const manager = await jetstreamManager(connection);
  const { name } = await manager.consumers.add(of.stream, {
    durable_name: 'oracle',
    filter_subject: of.filter,
    ack_policy: AckPolicy.Explicit,
  });
  const consumer = await jetstream(connection).consumers.get(of.stream, name);
  const messages = await consumer.consume({ max_messages: 1_000 });
  void (async () => {
    for await (const message of messages) {
      on(message.json(), message.time.getTime());
      message.ack();
    }
  })();
}
