import { describe, expect, it } from 'vitest';
import { describeSlowness, type Faults, type Port, queuePlan } from './faults.ts';

const ports: Port[] = ['outside', 'a', 'b'].map((name, index) => ({
  name,
  interface: `port${index}`,
  mac: `02:00:00:00:00:0${index}`,
}));
const [outside, a, b] = ports as [Port, Port, Port];
const none: Faults = { dropped: new Set(), slow: new Map() };
const filters = (to: Port, faults: Partial<Faults>, netem = true) =>
  queuePlan(to, ports, { ...none, ...faults }, netem).filter((line) => line.startsWith('filter'));

describe('the queues of a port', () => {
  it('are not touched without a fault', () => {
    expect(ports.flatMap((port) => queuePlan(port, ports, none, true))).toEqual([]);
  });

  it('hold nothing of whose packets are dropped, and only on that way', () => {
    const dropped = new Set(['a b']);
    expect(filters(b, { dropped })).toEqual([
      `filter add dev port2 parent 1: protocol ip prio 1 u32 match ether src ${a.mac} flowid 1:1`,
    ]);
    expect(queuePlan(b, ports, { ...none, dropped }, true)).toContain('qdisc add dev port2 parent 1:1 bfifo limit 1');
    expect([...filters(a, { dropped }), ...filters(outside, { dropped })]).toEqual([]);
  });

  it('drop everything, also requests for addresses, between hosts that do not reach each other', () => {
    const dropped = new Set(['a b', 'b a']);
    expect(filters(b, { dropped })[0]).toContain('protocol all');
    expect(filters(a, { dropped })[0]).toContain('protocol all');
  });

  it('delay both ways of a slow link, half of it each', () => {
    const slow = new Map([['b', { delayMs: 100, lossPercent: 5 }]]);
    const plan = queuePlan(b, ports, { ...none, slow }, true);
    expect(plan.filter((line) => line.includes('netem delay 50ms 10ms loss 5%'))).toHaveLength(2);
    expect(filters(a, { slow })).toHaveLength(1);
  });

  it('lose every so many packets where the kernel has no netem, and say so', () => {
    const how = { delayMs: 100, lossPercent: 5 };
    expect(filters(b, { slow: new Map([['b', how]]) }, false).join()).toContain('match u16 0x0001 0xf at 4');
    expect(describeSlowness(how, false)).toBe(
      '8mbit (this kernel has no netem: no delay but that of its queue), every 16th packet lost, about',
    );
    expect(describeSlowness(how, true)).toContain('delay 50ms 10ms loss 5%');
  });

  it('drop rather than delay', () => {
    const faults = { dropped: new Set(['a b', 'b a']), slow: new Map([['b', { delayMs: 10 }]]) };
    expect(filters(b, faults).filter((line) => line.includes(a.mac))).toHaveLength(1);
  });
});
