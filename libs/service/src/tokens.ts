/** Injection token of the service's typed configuration, merged with the platform's. */
export const CONFIG = Symbol('tocsin config');

/** Injection token of the `Clock`. */
export const CLOCK = Symbol('tocsin clock');
