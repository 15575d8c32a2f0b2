/** A way from one host to another: instances, servers, `clients` (of gateways). */
export interface LinkState {
  from: string;
  to: string;
  cut: boolean;
}

/** All links of a host, or those from one to another. */
export type LinkSelector = { host: string } | { from: string; to: string };

/** Breaks connections and holds back restarts in a Tocsin that was started with `drill`. */
export interface TocsinControl {
  links(): Promise<LinkState[]>;
  /** Nothing passes any more, nothing is closed, new connections hang; returns what was cut. */
  cut(which: LinkSelector): Promise<LinkState[]>;
  /** What was held back arrives, in order; without a selector all links are healed. */
  heal(which?: LinkSelector): Promise<LinkState[]>;
  /** These are not started again when they end. */
  hold(...names: string[]): Promise<void>;
  /** Started again, at once. */
  release(...names: string[]): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/**
 * The control port's client. Every call throws with what the port answered: what is refused once is refused again.
 * @param url as in runtime.json; undefined when Tocsin was started without `drill`: then every call says so
 */
export function tocsinControl(url: string | undefined): TocsinControl {
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    if (url === undefined) throw new Error('There are no links to cut: start it with startTocsin({ drill: true }).');
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The control port answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    links: () => ask('GET', '/links'),
    cut: (which) => ask('POST', '/cut', which),
    heal: (which = {} as never) => ask('POST', '/heal', which),
    hold: async (...names) => void (await ask('POST', '/hold', { names })),
    release: async (...names) => void (await ask('POST', '/release', { names })),
  };
}
