import { describe, expect, it } from 'vitest';
import { permissionsOf } from './permissions.ts';
import { type ServiceName, serviceNames } from '../services.ts';

/** Whether a pattern of the broker covers a subject (https://docs.nats.io/nats-concepts/subjects). */
function covers(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  const rest = wanted.indexOf('>');
  const same = (token: string, at: number): boolean => token === '*' || token === given[at];
  if (rest >= 0) return given.length > rest && wanted.slice(0, rest).every(same);
  return wanted.length === given.length && wanted.every(same);
}

const mayPublish = (service: ServiceName, subject: string) => {
  const { allow, deny } = permissionsOf(service).publish;
  const among = (patterns: readonly string[]) => patterns.some((pattern) => covers(pattern, subject));
  return among(allow) && !among(deny);
};
const mayHear = (service: ServiceName, subject: string) =>
  permissionsOf(service).subscribe.some((pattern) => covers(pattern, subject));

describe.each(serviceNames)('the user %s', (service) => {
  it('may delete, empty or restore no stream, and delete nobody’s consumer', () => {
    for (const act of ['STREAM.DELETE.RESULTS', 'STREAM.PURGE.RESULTS', 'STREAM.RESTORE.RESULTS'])
      expect(mayPublish(service, `$JS.API.${act}`)).toBe(false);
    expect(mayPublish(service, '$JS.API.CONSUMER.DELETE.EVENTS.notifier-incidents')).toBe(false);
  });

  it('hears no subject of a stream: it takes from its own consumers alone', () => {
    for (const subject of ['results.m', 'commands.monitors.x.1', 'config.channels.c', '$KV.leases.a', '>', '$JS.>'])
      expect(mayHear(service, subject)).toBe(false);
  });

  it('hears answers to its own questions alone', () => {
    for (const other of serviceNames) expect(mayHear(service, `_INBOX.${other}.abc`)).toBe(other === service);
    expect(mayHear(service, '_INBOX.abc')).toBe(false);
  });

  it('takes nothing from another service’s consumer, and acknowledges nothing there', () => {
    const others = [
      ['RESULTS', 'incidents-results', 'incidents'],
      ['EVENTS', 'notifier-incidents', 'notifier'],
      ['COMMANDS', 'monitors-commands', 'monitors'],
      ['CHECKS', 'prober-default', 'prober'],
    ] as const;
    for (const [stream, durable, owner] of others) {
      expect(mayPublish(service, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`)).toBe(owner === service);
      expect(mayPublish(service, `$JS.API.CONSUMER.CREATE.${stream}.${durable}`)).toBe(false);
      expect(mayPublish(service, `$JS.ACK.${stream}.${durable}.1.2.3.4.5`)).toBe(owner === service);
    }
  });

  it.each(['incidents', 'notifier'])(
    'takes from %s-config as its owner alone, which follows that stream besides',
    (owner) => {
      const durable = `CONFIG.${owner}-config`;
      expect(mayPublish(service, `$JS.API.CONSUMER.MSG.NEXT.${durable}`)).toBe(owner === service);
      expect(mayPublish(service, `$JS.ACK.${durable}.1.2.3.4.5`)).toBe(owner === service);
    },
  );
});

describe('streams and buckets', () => {
  it.each(['CREATE', 'UPDATE'])('%s is for monitors alone, of whatever stream', (act) => {
    for (const stream of ['RESULTS', 'COMMANDS', 'KV_leases', 'KV_suspects']) {
      const subject = `$JS.API.STREAM.${act}.${stream}`;
      expect(serviceNames.filter((service) => mayPublish(service, subject))).toEqual(['monitors']);
    }
  });

  it('a consumer is created with its service’s own filter alone, and no letter is written for another', () => {
    const create = '$JS.API.CONSUMER.CREATE.COMMANDS.notifier-commands';
    expect(mayPublish('notifier', `${create}.commands.notifier.>`)).toBe(true);
    expect(mayPublish('notifier', `${create}.commands.monitors.>`)).toBe(false);
    for (const any of [create, '$JS.API.CONSUMER.DURABLE.CREATE.COMMANDS.notifier-commands'])
      expect(mayPublish('notifier', any)).toBe(false);
    expect(mayPublish('notifier', 'deadletters.COMMANDS.monitors-commands')).toBe(false);
  });
});

describe('what only one may do', () => {
  it.each<[string, string, ServiceName[]]>([
    ['send commands', 'commands.monitors.monitors-create.op', ['gateway']],
    ['answer as a prober', 'results.m1', ['gateway', 'prober']],
    ['change the configuration', 'config.monitors.m1', ['gateway', 'monitors']],
    ['take a shard', '$KV.leases.scheduler.shard.1', ['scheduler']],
    ['send the sign of life', '$KV.leases.notifier.deadman', ['notifier']],
    ['delete a dead letter', '$JS.API.STREAM.MSG.DELETE.DEADLETTERS', ['gateway']],
    ['open incidents', 'events.incidents.i1', ['gateway', 'incidents']],
  ])('%s', (_what, subject, allowed) => {
    expect(serviceNames.filter((service) => mayPublish(service, subject))).toEqual(allowed);
  });

  it('answer questions about its own', () => {
    expect(serviceNames.filter((service) => mayHear(service, 'monitors.tokens.verify'))).toEqual(['monitors']);
    expect(serviceNames.filter((service) => mayHear(service, 'every.system.ping'))).toEqual(serviceNames);
  });
});
