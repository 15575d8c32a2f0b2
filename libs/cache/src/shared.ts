import { createHash, randomBytes } from 'node:crypto';
import { type Clock } from '@tocsin/core';
import type { RedisOptions } from 'ioredis';
import { decodeEntry, encode, type Entry } from './entry.ts';
import { type News, RedisLink } from './link.ts';

/** What Redis held when a load began; a value is stored only if this is still so when the load is done. */
export interface Seen {
  era: string;
  token: string;
  versions: readonly string[];
}

export interface Reading {
  entry: Entry | undefined;
  /** Undefined if Redis was away: then nothing is stored. */
  seen: Seen | undefined;
}

/** Tokens and versions have this length. */
const TOKEN = 16;
const DAY_MS = 86_400_000;
/** Tags outlive every entry that has them. */
const TAG_MS = 2 * DAY_MS;
/** An invalidated key remembers it for this long, so that a load that began before does not bring the old value back. */
const TOMBSTONE_MS = 60_000;
/** Larger values are not kept. */
const MAX_ENTRY = 1_000_000;

/** KEYS: era, key, tags…  ARGV: era, token seen, new token, value, ttl, tag ttl, versions seen… */
const STORE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local now = redis.call('GET', KEYS[2])
if (now and string.sub(now, 1, ${TOKEN}) or '') ~= ARGV[2] then return 0 end
local versions = ''
for i = 3, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if (version or '') ~= ARGV[i + 4] then return 0 end
  if not version then
    version = ARGV[3]
    redis.call('SET', KEYS[i], version, 'PX', ARGV[6])
  end
  versions = versions .. version
end
redis.call('SET', KEYS[2], ARGV[3] .. string.format('%02d', #KEYS - 2) .. versions .. ARGV[4], 'PX', ARGV[5])
return 1`;

/** KEYS: era, channel  ARGV: namespace, new token, tombstone ttl, tag ttl, news, number of keys, keys…, tags… */
const INVALIDATE = `
redis.call('PUBLISH', KEYS[2], ARGV[5])
local era = redis.call('GET', KEYS[1])
if not era then return 0 end
for i = 7, #ARGV do
  local is_key = i - 6 <= tonumber(ARGV[6])
  local name = ARGV[1] .. ':' .. era .. (is_key and ':k:' or ':t:') .. ARGV[i]
  redis.call('SET', name, ARGV[2], 'PX', is_key and ARGV[3] or ARGV[4])
end
return 1`;

/** KEYS: key, turn  ARGV: token seen, whose it is, how long. A key that has changed since is to be looked at again. */
const CLAIM = `
local now = redis.call('GET', KEYS[1])
if (now and string.sub(now, 1, ${TOKEN}) or '') ~= ARGV[1] then return 0 end
return redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3], 'NX') and 1 or 0`;

/** KEYS: turn  ARGV: whose it is */
const END_TURN = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`;

export interface SharedOptions {
  redis: RedisOptions;
  namespace: string;
  clock: Clock;
  onNews(news: News): void;
}

/** The tier that all instances share: Redis. Nothing here throws because of Redis. */
export class Shared {
  readonly link: RedisLink;
  private readonly namespace: string;

  constructor(private readonly options: SharedOptions) {
    this.namespace = options.namespace;
    this.link = new RedisLink(options);
  }

  /** Reads a key and the versions of its tags in one go. */
  async read(key: string, tags: readonly string[]): Promise<Reading> {
    const { era } = this.link;
    if (era === undefined) return { entry: undefined, seen: undefined };
    const reply = await this.link.ask((redis) => redis.mget(this.keyName(era, key), ...this.tagNames(era, tags)));
    if (reply === undefined) return { entry: undefined, seen: undefined };
    const [raw, ...found] = reply.answer;
    const versions = found.map((version) => version ?? '');
    const seen = { era, token: raw?.slice(0, TOKEN) ?? '', versions };
    return { entry: raw === undefined || raw === null ? undefined : unpack(raw, versions), seen };
  }

  /** Stores a loaded value unless its key or one of its tags was invalidated since `seen`, or another one was faster. */
  async store(key: string, tags: readonly string[], entry: Entry, seen: Seen): Promise<void> {
    const { era, token, versions } = seen;
    const lifeMs = Math.min(Math.ceil(entry.usableUntil - this.options.clock.now()), DAY_MS);
    if (entry.size > MAX_ENTRY || lifeMs <= 0 || era !== this.link.era) return;
    // A load so long that the tombstone may be gone proves nothing.
    if (this.options.clock.now() - entry.loadedAt > TOMBSTONE_MS / 2) return;
    const names = [`${this.namespace}:era`, this.keyName(era, key), ...this.tagNames(era, tags)];
    const values = [era, token, newToken(), encode(entry), lifeMs, TAG_MS, ...versions];
    await this.link.ask((redis) => redis.eval(STORE, names.length, ...names, ...values));
  }

  /**
   * Claims the right to load a key that was found as in `seen`, for at most `ms`. What was invalidated since is another
   * right: whoever asks after an invalidation does not wait for a load that began before it.
   * @returns what gives it up; undefined if another instance has it, or has loaded it by now. While Redis is away
   * everybody gets it.
   */
  async claim(key: string, seen: Seen, ms: number): Promise<(() => void) | undefined> {
    const found = createHash('sha256')
      .update(`${seen.token} ${seen.versions.join(' ')}`)
      .digest('base64url')
      .slice(0, 12);
    const turn = `${this.namespace}:${seen.era}:l:${key}:${found}`;
    const mine = newToken();
    const names = [this.keyName(seen.era, key), turn];
    const reply = await this.link.ask((redis) => redis.eval(CLAIM, names.length, ...names, seen.token, mine, ms));
    if (reply?.answer === 0) return undefined;
    return () => void this.link.ask((redis) => redis.eval(END_TURN, 1, turn, mine));
  }

  /** Makes keys and tags invalid for everybody. If Redis is away, its return does it: a new era begins then. */
  async invalidate(keys: readonly string[], tags: readonly string[]): Promise<void> {
    const news = JSON.stringify({ keys, tags } satisfies News);
    const names = [`${this.namespace}:era`, `${this.namespace}:news`];
    const values = [this.namespace, newToken(), TOMBSTONE_MS, TAG_MS, news, keys.length, ...keys, ...tags];
    const reply = await this.link.ask((redis) => redis.eval(INVALIDATE, names.length, ...names, ...values));
    if (reply?.answer === 0) this.link.fall('it lost the era, so nothing there can be invalidated');
  }

  private keyName(era: string, key: string): string {
    return `${this.namespace}:${era}:k:${key}`;
  }

  private tagNames(era: string, tags: readonly string[]): string[] {
    return tags.map((tag) => `${this.namespace}:${era}:t:${tag}`);
  }
}

/** The entry in a stored string, if all its tags still have the versions it was stored with. */
function unpack(raw: string, versions: readonly string[]): Entry | undefined {
  if (raw.length <= TOKEN) return undefined;
  const count = Number(raw.slice(TOKEN, TOKEN + 2));
  const start = TOKEN + 2;
  const end = start + count * TOKEN;
  if (count !== versions.length || raw.slice(start, end) !== versions.join('')) return undefined;
  return decodeEntry(raw.slice(end));
}

function newToken(): string {
  return randomBytes(TOKEN / 2).toString('hex');
}
