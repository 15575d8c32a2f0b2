import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Coverage, IncidentView, Monitor, NotificationView, ResultView, StateView } from '@tocsin/contracts';
import { ApiClient, atTheEnd, Sink, startTocsin, type StartedTocsin, Target, until } from '@tocsin/testing';
import { freePort, projectRoot } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { signatureHolds } from './src/signature.ts';

const SECRET = 'a receiver knows this';

let tocsin: StartedTocsin;
let api: ApiClient;
let target: Target;
let sink: Sink;

interface Hook {
  kind: string;
  incident: { id: string; message: string };
  monitor: { name: string };
}

async function stateOf(monitorId: string): Promise<StateView | undefined> {
  const { items } = await api.get<{ items: StateView[] }>(`/v1/states?monitorId=${monitorId}`);
  return items[0];
}

/** The commands of the README's quick start, with a port of our own, and a file for what the demo prints. */
async function quickStart(): Promise<string> {
  const port = String(await freePort());
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const part = readme.slice(readme.indexOf('quick start: begin'), readme.indexOf('quick start: end'));
  const blocks = [...part.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block);
  expect(blocks).toHaveLength(4);
  const demo = `node ${join(projectRoot, 'infra/tools/local/demo.mjs')} ${port} > demo.log &`;
  return blocks.join('\n').replace('node infra/tools/local/demo.mjs &', demo).replaceAll('9000', port);
}

const kinds = () => sink.arrivals.map(({ body }) => (body as Hook).kind);

describe('the road of a check', { timeout: 60_000 }, () => {
  let monitor: Monitor;
  let incident: IncidentView;

  beforeAll(async () => {
    [tocsin, target, sink] = await Promise.all([startTocsin(), Target.start(), Sink.start()]);
    atTheEnd(async () => {
      await tocsin.stop();
      await Promise.all([target.stop(), sink.stop()]);
    });
    api = new ApiClient(tocsin.gateways, tocsin.token);
  }, 180_000);

  it('checks a new monitor within moments', async () => {
    const settings = { url: sink.url, secret: SECRET };
    const channel = await api.post<{ id: string }>('/v1/channels', { kind: 'webhook', name: 'sink', settings });
    monitor = await api.post<Monitor>('/v1/monitors', {
      kind: 'http',
      name: 'the target',
      interval: '1s',
      timeout: '1s',
      channels: [channel.id],
      settings: { url: target.url },
    });
    const state = await until(async () => (await stateOf(monitor.id))?.state === 'up' && stateOf(monitor.id), {
      what: 'up',
    });
    expect(state).toMatchObject({ state: 'up', reason: 'ok' });
    expect(target.hits).toBeGreaterThan(0);
  });

  it('rings once, signed, when the target breaks', async () => {
    target.answer(503);
    await until(() => kinds().includes('opened'), { what: 'the webhook' });
    const [arrival] = sink.arrivals;
    expect(signatureHolds(arrival!.headers['tocsin-signature'] as string, arrival!.raw, SECRET)).toBe(true);
    expect(arrival!.body).toMatchObject({ monitor: { name: 'the target' }, incident: { status: 'open' } });
    expect((arrival!.body as Hook).incident.message).toContain('status 503');
    await until(async () => (await stateOf(monitor.id))?.state === 'down', { what: 'the state that the API shows' });
  });

  it('shows the incident with its timeline, and takes an acknowledgement and a note', async () => {
    const { items } = await api.get<{ items: IncidentView[] }>(`/v1/incidents?monitorId=${monitor.id}`);
    expect(items).toHaveLength(1);
    await api.post(`/v1/incidents/${items[0]!.id}/acknowledge`, { note: 'looking' });
    await api.post(`/v1/incidents/${items[0]!.id}/notes`, { text: 'the disk is full' });
    incident = await until(async () => {
      const now = await api.get<IncidentView>(`/v1/incidents/${items[0]!.id}`);
      return now.timeline!.some(({ what }) => what === 'note') && now;
    });
    expect(incident.status).toBe('acknowledged');
    expect(incident.timeline!.map(({ what }) => what)).toEqual(['opened', 'acknowledged', 'note']);
    await until(() => kinds().includes('acknowledged'), { what: 'the webhook of the acknowledgement' });
  });

  it('resolves when the target is well again, and has sent nothing twice', async () => {
    target.answer(200);
    await until(() => kinds().includes('resolved'), { what: 'the webhook of the recovery' });
    expect(kinds()).toEqual(['opened', 'acknowledged', 'resolved']);
    expect(sink.doubled()).toEqual([]);
    const resolved = await until(async () => {
      const now = await api.get<IncidentView>(`/v1/incidents/${incident.id}`);
      return now.status === 'resolved' && now;
    });
    const [openedAt, resolvedAt] = [resolved.openedAt, resolved.resolvedAt].map((at) => Date.parse(String(at)));
    expect(resolvedAt).toBeGreaterThan(openedAt!);
  });

  it('says what was sent, when, to whom and with what answer', async () => {
    const path = `/v1/notifications?incidentId=${incident.id}`;
    const { items } = await until(async () => {
      const page = await api.get<{ items: NotificationView[] }>(path);
      return page.items.length === 3 && page.items.every(({ status }) => status === 'sent') && page;
    });
    expect(items.map(({ kind }) => kind).toSorted()).toEqual(['acknowledged', 'opened', 'resolved']);
    expect(items.every(({ answer, to }) => answer === 'status 200' && to === new URL(sink.url).host)).toBe(true);
  });

  it('keeps history: raw results, uptime and coverage that add up', async () => {
    const { items } = await api.get<{ items: ResultView[] }>(`/v1/monitors/${monitor.id}/results?limit=500`);
    expect(items.some(({ finding }) => finding?.verdict === 'down')).toBe(true);
    expect(items.some(({ finding, attempt }) => attempt === 1 && finding?.verdict === 'down')).toBe(true);
    expect(items.find(({ finding }) => finding?.verdict === 'up')!.finding!.timings.firstByteMs).toBeGreaterThan(0);
    const report = await api.get<{ uptime: number; coverage: Coverage }>(`/v1/monitors/${monitor.id}/uptime`);
    expect(report.uptime).toBeGreaterThan(0);
    expect(report.uptime).toBeLessThan(1);
    const { ran, missed, unaccounted } = report.coverage;
    expect({ missed, unaccounted }).toEqual({ missed: 0, unaccounted: 0 });
    expect(ran).toBeGreaterThan(0);
  });

  it('confirms a failure by another prober than the one that found it', async () => {
    const { items } = await api.get<{ items: ResultView[] }>(`/v1/monitors/${monitor.id}/results?limit=500`);
    const confirmation = items.find(({ attempt }) => attempt === 1)!;
    const found = items.find(({ attempt, dueAt }) => attempt === 0 && dueAt === confirmation.dueAt)!;
    expect(confirmation.prober).not.toBe(found.prober);
  });

  it('takes a time with any offset, and answers with it in UTC', async () => {
    const spec = { name: 'until new year', role: 'viewer', expiresAt: '2037-01-01T02:00:00+02:00' };
    type Listed = { id: string; createdAt: string; spec: { expiresAt: string } };
    const made = await api.post<Listed>('/v1/tokens', spec);
    const { items } = await api.get<{ items: Listed[] }>('/v1/tokens');
    const listed = items.find(({ id }) => id === made.id);
    for (const token of [made, listed]) {
      expect(token?.spec.expiresAt).toBe('2037-01-01T00:00:00.000Z');
      expect(token?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    }
  });

  it('stops checking a paused monitor and goes on when it is resumed', async () => {
    await api.post(`/v1/monitors/${monitor.id}/pause`);
    await until(async () => (await stateOf(monitor.id))?.state === 'paused');
    const hits = target.hits;
    await api.post(`/v1/monitors/${monitor.id}/resume`);
    await until(() => target.hits > hits, { what: 'a hit after the resumption' });
    const state = await until(async () => (await stateOf(monitor.id))?.state === 'up' && stateOf(monitor.id));
    expect(state).toMatchObject({ state: 'up', reason: 'ok' });
  });

  it('notices a heartbeat that fails, and one that stops', async () => {
    const beat = await api.post<Monitor & { heartbeatKey: string }>('/v1/monitors', {
      kind: 'heartbeat',
      name: 'a job',
      settings: { schedule: { every: '2s' }, grace: '1s' },
    });
    const ping = (what = '') =>
      fetch(`${tocsin.gateways[0]}/v1/heartbeats/${beat.heartbeatKey}${what}`, { method: 'POST' });
    expect((await ping()).status).toBeLessThan(300);
    await until(async () => (await stateOf(beat.id))?.state === 'up', { what: 'up by its first ping' });
    await ping('/fail');
    await until(async () => (await stateOf(beat.id))?.state === 'down', { what: 'down by its own word' });
    await ping();
    await until(async () => (await stateOf(beat.id))?.state === 'up', { what: 'up again' });
    await until(async () => (await stateOf(beat.id))?.state === 'down', { what: 'down by its silence' });
    expect((await stateOf(beat.id))!.message).toContain('overdue');
  });

  it("rings by the README's quick start, pasted word for word", async () => {
    const program = `${await quickStart()}\nuntil [ "$(grep -c '^ALARM opened' demo.log)" = 2 ]; do sleep 0.1; done\nkill %1\n`;
    const files = mkdtempSync(join(tmpdir(), 'tocsin-quick-start-'));
    atTheEnd(() => rmSync(files, { recursive: true, force: true }));
    mkdirSync(join(files, '.tocsin'));
    writeFileSync(join(files, '.tocsin/url'), tocsin.gateways[0]!);
    writeFileSync(join(files, '.tocsin/admin-token'), tocsin.token);
    await promisify(execFile)('bash', ['-mc', program], { cwd: files, timeout: 50_000 });
    const rung = readFileSync(join(files, 'demo.log'), 'utf8').match(/^ALARM .*$/gm);
    expect(rung!.toSorted()).toEqual([
      'ALARM opened: my job (heartbeat: reported a failure)',
      'ALARM opened: my page (status 503, expected 200-299)',
    ]);
  });

  it('shows every instance, lease and queue', async () => {
    const system = await api.get<{
      instances: { service: string; ready: boolean }[];
      leases: { name: string; holder: string }[];
      queues: { stream: string }[];
    }>('/v1/system');
    expect(system.instances).toHaveLength(14);
    expect(system.instances.every(({ ready }) => ready)).toBe(true);
    expect(system.leases.filter(({ name }) => name.startsWith('scheduler.shard.'))).toHaveLength(8);
    expect(system.queues.map(({ stream }) => stream)).toContain('RESULTS');
  });
});
