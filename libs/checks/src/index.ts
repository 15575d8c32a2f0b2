export type { Check, CheckContext } from './check.ts';
export { checkSettings } from './check-settings.ts';
export { type ConnectionWish, openConnection } from './connect/open-connection.ts';
export { CheckFailure, isOwnFailure, type Reason } from './failure.ts';
export { type HttpSend, type HttpSent, sendHttp } from './http/send.ts';
export { runCheck, supported } from './run-check.ts';
