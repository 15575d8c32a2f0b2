/** What stands for the rest of an address that is a secret. */
const REST = '/…';
const SHOWN = /^(https?:\/\/[^/?#@\s]+)\/(?:…|%E2%80%A6)$/i;
const KEPT = /^kept\+(https?:.*)$/;

/** A secret address as anybody may see it, its origin alone: `https://hooks.example.org/…`. */
export function shownAddress(url: string): string {
  return `${originOf(url) ?? ''}${REST}`;
}

/** Whether it is what {@link shownAddress} makes, so that whoever sends it means the address that is there. */
export function isShownAddress(text: string): boolean {
  return SHOWN.test(text);
}

/** How a gateway passes on an address that was shown. A service of the version before refuses it, and does not take it for one. */
export function keptAddress(shown: string): string {
  return `kept+${shown}`;
}

/** The origin that an address was shown with when it is to be kept; undefined for an address of its own. */
export function keptOrigin(url: string): string | undefined {
  const kept = KEPT.exec(url)?.[1];
  return originOf(kept ?? (isShownAddress(url) ? url : ''));
}

/** Scheme, host and port of an address, with the port's default left out and the host in lower case. */
export function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}
