import type { Connection } from './connection.ts';

/** How full a stream is, and how far its consumers are. */
export interface QueueDepth {
  stream: string;
  messages: number;
  bytes: number;
  /** Beyond this the stream refuses more, or drops its oldest; -1 for no bound. */
  maxBytes: number;
  consumers: { durable: string; pending: number; ackPending: number; redelivered: number }[];
}

/** The depths of every declared stream; ephemeral consumers are left out. */
export async function queues(connection: Connection): Promise<QueueDepth[]> {
  const depths: QueueDepth[] = [];
  for await (const { config, state } of connection.jsm.streams.list()) {
    if (config.name.startsWith('KV_')) continue;
    const consumers: QueueDepth['consumers'] = [];
    for await (const info of connection.jsm.consumers.list(config.name)) {
      if (!info.config.durable_name) continue;
      consumers.push({
        durable: info.config.durable_name,
        pending: info.num_pending,
        ackPending: info.num_ack_pending,
        redelivered: info.num_redelivered,
      });
    }
    depths.push({
      stream: config.name,
      messages: state.messages,
      bytes: state.bytes,
      maxBytes: config.max_bytes,
      consumers,
    });
  }
  return depths;
}
