import { SpanKind } from '@opentelemetry/api';
import { carriesTrace } from '@tocsin/telemetry';
import { Commander, type CommandOutcome, type CommandOptions } from './commander.ts';
import { Connection } from './connection.ts';
import { type CommandSpec, LEASES_BUCKET, type MessagingOptions, type RequestSpec } from '../contract.ts';
import { DeadLetters } from '../consume/dead-letters.ts';
import { type Follow, type Followed, type FollowOptions, StreamFollow } from './follow.ts';
import { KeyValue } from './key-value.ts';
import { LeaseTable } from '../leases/lease-table.ts';
import { Leases } from '../leases/leases.ts';
import { Publisher, type Published, type PublishOptions } from './publisher.ts';
import { type QueueDepth, queues } from './queues.ts';
import { Requester } from './requester.ts';
import { TopologyKeeper } from '../topology/topology-keeper.ts';
import { LastPerSubjectPoll, type LastPerSubjectOptions } from './last-per-subject-poll.ts';
import { producing } from '../wire/tracing.ts';

const LEASE_ANSWER_MS = 700;

/** The client side of messaging: one per process, injectable by this class. */
export class Messaging {
  readonly leases: Leases;
  readonly deadLetters: DeadLetters;
  readonly topology: TopologyKeeper;
  private readonly publisher: Publisher;
  private readonly requester: Requester;
  private readonly commander: Commander;
  private readonly buckets = new Map<string, KeyValue>();

  constructor(readonly connection: Connection) {
    this.topology = new TopologyKeeper(connection);
    this.publisher = new Publisher(connection);
    this.requester = new Requester(connection);
    this.commander = new Commander(connection, this.publisher);
    this.deadLetters = new DeadLetters(connection, this.publisher);
    // A lease must not wait for one answer longer than it lasts.
    const leases = new KeyValue(connection, LEASES_BUCKET, LEASE_ANSWER_MS);
    this.leases = new Leases(leases, new LeaseTable(connection, LEASES_BUCKET));
  }

  /**
   * Connects and makes sure that every stream and bucket of the contract exists.
   * @throws TocsinError `unavailable` if no server answers for `firstConnectMs` (30 s)
   */
  static async connect(options: MessagingOptions, o: { firstConnectMs?: number } = {}): Promise<Messaging> {
    const messaging = new Messaging(await Connection.open(options, o.firstConnectMs));
    try {
      await messaging.reconcile();
      return messaging;
    } catch (error) {
      await messaging.close();
      throw error;
    }
  }

  /** Creates or updates the contract's streams and buckets, once per process. */
  reconcile(): Promise<void> {
    return this.topology.boot();
  }

  /**
   * Calls `listener` with the name of a stream (`KV_<bucket>` of a bucket) that was deleted and created again. Its messages are
   * gone, and its owner publishes again what belongs in it. The call comes once per stream and process, after streams and
   * consumers exist again; a process that was cut off gets it when it is back. Returns a function that stops this.
   */
  onStreamRecreated(listener: (stream: string) => void): () => void {
    return this.topology.onRecreated(listener);
  }

  /** Whether the broker is reachable, which server it is, and the last measured round trip in ms. */
  status(): { connected: boolean; server?: string; rttMs?: number } {
    return this.connection.status();
  }

  /**
   * Stores a message in the stream that takes its subject. Sent again with the same id until it is acknowledged, through
   * a leader election (default 15 s); at most 4,096 are in flight, further calls wait.
   * @throws TocsinError `unavailable` if it was not acknowledged in time (it may be stored: publish again with the same
   *   id), `exhausted` if the stream is full, `too_large`
   */
  publish(subject: string, data: unknown, o: PublishOptions): Promise<Published> {
    return producing(`publish ${stem(subject)}`, subject, SpanKind.PRODUCER, (headers) => {
      // The headers of an outbox row carry the trace of the transaction that wrote it: the message belongs to that one.
      const own = o.headers && carriesTrace(o.headers) ? undefined : headers;
      return this.publisher.publish(subject, data, o, own);
    });
  }

  /**
   * Sends a request to any one instance, and to another while time remains if that one does not answer. The deadline is the
   * soonest of `o.deadline`, the spec's timeout and the deadline of the request that this process is answering.
   * @throws TocsinError as answered; `deadline` or `unavailable` if no instance answered: worth a retry
   */
  request<I, O>(spec: RequestSpec<I, O>, input: I, o?: { deadline?: number }): Promise<O> {
    return this.requester.request(spec, input, o);
  }

  /** Sends a request to every instance, and returns the answers that came within `windowMs`. */
  gather<I, O>(spec: RequestSpec<I, O>, input: I, o: { windowMs: number }): Promise<O[]> {
    return this.requester.gather(spec, input, o);
  }

  /**
   * Has a change carried out. Once this returns, `done` or `accepted`, it will be, even if this process dies. Call it
   * again with the same operation id to wait longer.
   * @throws TocsinError as the owner refused it; `unavailable` if the broker did not take it: safe to retry
   */
  command<I, O>(spec: CommandSpec<I, O>, input: I, o: CommandOptions): Promise<CommandOutcome<O>> {
    return this.commander.command(spec, input, o);
  }

  /**
   * Whether a command is still waiting to be carried out.
   * @throws TocsinError `unavailable` if the broker can't say by the deadline (ms since the epoch): try again
   */
  commandPending(operationId: string, o: { deadline: number }): Promise<boolean> {
    return this.commander.pending(operationId, o.deadline);
  }

  /** Reads a stream in order, and takes no message from any consumer; see `StreamFollow`. */
  follow(o: FollowOptions, on: (message: Followed) => void): Promise<Follow> {
    return new StreamFollow(this.connection, o, on).start();
  }

  /** Reads the last message of each subject of a stream now and every ten minutes; see `LastPerSubjectPoll`. */
  pollLastPerSubject(o: LastPerSubjectOptions, handle: (payloads: unknown[]) => Promise<void>): LastPerSubjectPoll {
    return new LastPerSubjectPoll(this.connection, o, handle);
  }

  /** A key-value bucket of the contract. */
  kv(bucket: string): KeyValue {
    let kv = this.buckets.get(bucket);
    if (!kv) this.buckets.set(bucket, (kv = new KeyValue(this.connection, bucket)));
    return kv;
  }

  /** How full every stream is, and how far its consumers are. */
  queues(): Promise<QueueDepth[]> {
    return queues(this.connection);
  }

  /** Waits up to 2 s for what is in flight, releases the leases and closes the connection. */
  async close(): Promise<void> {
    await this.publisher.flush(2_000);
    if (this.connection.connected) await this.leases.releaseAll();
    this.publisher.close();
    this.topology.close();
    const leases = this.leases.close();
    await this.connection.close();
    await leases;
  }
}

/** A subject's first token: span names must not vary by monitor. */
function stem(subject: string): string {
  const dot = subject.indexOf('.');
  return dot < 0 ? subject : subject.slice(0, dot);
}
