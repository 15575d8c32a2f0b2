/** systemd-networkd's words, and those of `ip link add … type bond`. */
const options: Record<string, (value: string) => string> = {
  Mode: (value) => `mode ${value}`,
  ARPIntervalSec: (value) => `arp_interval ${milliseconds(value)}`,
  ARPIPTargets: (value) => `arp_ip_target ${value.split(/\s+/).join(',')}`,
  ARPAllTargets: (value) => `arp_all_targets ${value}`,
  ARPValidate: (value) => `arp_validate ${value}`,
};

/**
 * What a `.netdev` file says about a bond, as `ip` understands it.
 * @throws Error when it says something that has no translation here
 */
export function bondOptions(netdev: string): string {
  const section = /^\[Bond\]\n([^[]*)/m.exec(netdev)?.[1] ?? '';
  const settings = section.split('\n').filter((line) => /^\w/.test(line));
  return settings.map(translated).join(' ');
}

function translated(setting: string): string {
  const [name, value] = setting.split('=', 2).map((part) => part.trim());
  const option = options[name!];
  if (!option || !value) throw new Error(`There is no translation for ${setting}`);
  return option(value);
}

function milliseconds(span: string): number {
  const [, number, unit] = /^([\d.]+)(ms|s)?$/.exec(span) ?? [];
  if (!number) throw new Error(`${span} is no time.`);
  return Math.round(Number(number) * (unit === 'ms' ? 1 : 1_000));
}
