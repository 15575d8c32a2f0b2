import type { ServiceName } from '../services.ts';

/** What the cache's library asks of Redis; its scripts are asked for word by word like whoever runs them. */
const COMMANDS =
  'get set del mget eval multi exec publish subscribe unsubscribe ping role info select client|setname client|id';
/** What it asks of a Sentinel to find the primary. */
const SENTINEL_COMMANDS =
  'ping info role subscribe unsubscribe client|setname client|id sentinel|get-master-addr-by-name sentinel|sentinels sentinel|replicas sentinel|slaves';

/** What a sub-service may do in Redis, in the words of its access control list: with its own keys and its own channel. */
export function cacheRulesOf(service: ServiceName): string {
  return `~tocsin:${service}:* &tocsin:${service}:* ${allowed(COMMANDS)}`;
}

/** What any of them may do at a Sentinel: ask who the primary is, and hear that it is another one. */
export const sentinelRules = `&+switch-master ${allowed(SENTINEL_COMMANDS)}`;

function allowed(commands: string): string {
  return `-@all ${commands.replaceAll(/\S+/g, '+$&')}`;
}
