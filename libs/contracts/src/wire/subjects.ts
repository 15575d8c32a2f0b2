/** Every subject, spelled once. */
export const subjects = {
  check: (location: string, monitorId: string) => `checks.${location}.${monitorId}`,
  result: (monitorId: string) => `results.${monitorId}`,
  heartbeat: (monitorId: string) => `heartbeats.${monitorId}`,
  monitorConfig: (monitorId: string) => `config.monitors.${monitorId}`,
  channelConfig: (channelId: string) => `config.channels.${channelId}`,
  incidentEvent: (incidentId: string) => `events.incidents.${incidentId}`,
  stateEvent: (monitorId: string) => `events.states.${monitorId}`,
  monitorEvent: (monitorId: string) => `events.monitors.${monitorId}`,
  /** That a token works no more. */
  tokenEvent: (tokenId: string) => `events.tokens.${tokenId}`,
  notificationEvent: (notificationId: string) => `events.notifications.${notificationId}`,
} as const;

/** The message id of a check and of its result: the stream drops the double. */
export function checkId(of: { monitorId: string; window: number; location: string; attempt: number }): string {
  return `${of.monitorId}.${of.window}.${of.location}.${of.attempt}`;
}
