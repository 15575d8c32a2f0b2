import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from './settings.ts';

const good = {
  TOCSIN_NATS_PEERS: '10.0.0.12:6222,10.0.0.13:6222',
  TOCSIN_NATS_MONITORING: '8222',
  TOCSIN_NATS_PID_FILE: '/run/nats.pid',
};

describe('the environment of a guard', () => {
  it('says which node and which peers', () => {
    expect(readSettings(good)).toEqual({
      peers: [
        { host: '10.0.0.12', port: 6222 },
        { host: '10.0.0.13', port: 6222 },
      ],
      monitoring: 8222,
      pidFile: '/run/nats.pid',
    });
  });

  it('may name no peer', () => {
    expect(readSettings({ ...good, TOCSIN_NATS_PEERS: '' }).peers).toEqual([]);
  });

  it.each([
    ['TOCSIN_NATS_PEERS', '10.0.0.12'],
    ['TOCSIN_NATS_PEERS', '10.0.0.12:6222,b:6222'],
    ['TOCSIN_NATS_PEERS', '10.0.0.12:6222:1'],
    ['TOCSIN_NATS_MONITORING', '65536'],
    ['TOCSIN_NATS_MONITORING', '0x50'],
    ['TOCSIN_NATS_PID_FILE', 'nats.pid'],
  ])('is refused for %s=%s, and says so', (name, value) => {
    expect(() => readSettings({ ...good, [name]: value })).toThrow(SettingsError);
    expect(() => readSettings({ ...good, [name]: value })).toThrow(new RegExp(`^${name}: [^\\n]+$`));
  });

  it('is refused with every variable that is missing', () => {
    for (const name of Object.keys(good)) expect(() => readSettings({})).toThrow(`${name}: `);
  });
});
