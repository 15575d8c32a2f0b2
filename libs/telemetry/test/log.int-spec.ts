import { describe, expect, it } from 'vitest';
import { runProcess } from './process.ts';

describe('the log', () => {
  it('is one JSON object a line with time, level, service, instance and context', async () => {
    const { lines } = await runProcess(`await startTelemetry('toy'); logger('boot').info({ port: 1 }, 'hello');`, {
      TOCSIN_INSTANCE: 'toy-7',
    });
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        service: 'toy',
        instance: 'toy-7',
        context: 'boot',
        port: 1,
        msg: 'hello',
      },
    ]);
  });

  it('hides secrets in fields, texts and errors', async () => {
    const { lines } = await runProcess(
      `await startTelemetry('toy');
       const log = logger('x');
       log.info({ headers: { authorization: 'Bearer hunter2hunter2' }, channel: { password: 'hunter2' } }, 'a');
       log.error({ err: new Error('redis://:hunter2@h is away') }, 'postgres://u:hunter2@h failed');`,
    );
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('writes a warning that repeats at most ten times in ten seconds', async () => {
    const { lines } = await runProcess(
      `await startTelemetry('toy'); for (let i = 0; i < 100; i++) logger('x').warn('lost connection ' + i);`,
    );
    expect(lines).toHaveLength(10);
  });

  it('keeps to the level it was given', async () => {
    const body = `await startTelemetry('toy'); logger('x').debug('d'); logger('x').info('i'); logger('x').error('e');`;
    const levels = async (level: string) =>
      (await runProcess(body, { TOCSIN_LOG_LEVEL: level })).lines.map((line) => line['level']);
    expect(await levels('error')).toEqual(['error']);
    expect(await levels('debug')).toEqual(['debug', 'info', 'error']);
    expect(await levels('nonsense')).toEqual(['info', 'error']);
  });

  it('is text for people where it is asked for', async () => {
    const { lines } = await runProcess(`await startTelemetry('toy'); logger('boot').info('hello');`, {
      TOCSIN_LOG_FORMAT: 'pretty',
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.['text']).toMatch(/INFO.*hello/);
  });

  it("takes Nest's calls: context last, fields, errors; start-up chatter only when asked for", async () => {
    const { lines } = await runProcess(
      `await startTelemetry('toy');
       const nest = new NestLogger();
       nest.log('AppModule dependencies initialized', 'InstanceLoader');
       nest.warn('slow', { ms: 7 }, 'Pool');
       nest.error(new Error('broken'), 'Pool');`,
    );
    expect(lines).toMatchObject([
      { level: 'warn', context: 'Pool', msg: 'slow', ms: 7 },
      { level: 'error', context: 'Pool', msg: 'broken', err: { type: 'Error', message: 'broken' } },
    ]);
  });
});
