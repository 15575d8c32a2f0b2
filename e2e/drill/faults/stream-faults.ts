import { deleteStream, streamLeader, until } from '@tocsin/testing';
import type { Fault } from './fault.ts';

/** Deletes a stream under the running system, each in turn, as a broker that lost its disks would have. */
export function deleteStreams(streams: readonly string[]): Fault {
  return async (stack, strike) => {
    const stream = streams[strike % streams.length]!;
    const at = Date.now();
    await deleteStream(stack.tocsin.nats, stream);
    await until(() => streamLeader(stack.tocsin.nats, stream), { timeoutMs: 30_000, what: `${stream} made anew` });
    await stack.whole();
    return { at, victims: [`stream ${stream}`] };
  };
}
