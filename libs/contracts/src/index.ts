export * from './administration/change.ts';
export * from './administration/system.ts';
export * from './administration/token.ts';
export * from './services.ts';
export * from './incidents/incident.ts';
export * from './incidents/incident-row.ts';
export * from './monitoring/check.ts';
export { type Assertion } from './monitoring/kinds/http/assertion.ts';
export { type HttpSettings, httpSettings } from './monitoring/kinds/http/http.ts';
export { heartbeatOf, type HeartbeatSettings } from './monitoring/kinds/heartbeat.ts';
export {
  type MonitorKind,
  monitorKinds,
  type ProbedKind,
  type SettingsOf,
  traitsOf,
} from './monitoring/kinds/kinds.ts';
export { type TcpSettings, tcpSettings } from './monitoring/kinds/tcp.ts';
export * from './monitoring/monitor.ts';
export * from './monitoring/report.ts';
export { checkTaskOf } from './monitoring/task.ts';
export * from './notifications/channel.ts';
export { type EmailSettings } from './notifications/channels/email/email.ts';
export { type ChannelKind, channelKinds, type ChannelOf } from './notifications/channels/kinds.ts';
export * from './notifications/notification.ts';
export { type Mailbox, parseMailbox } from './notifications/channels/email/mailbox.ts';
export { fieldErrors, pointer } from './rest/field-errors.ts';
export { allKinds } from './rest/kinds.ts';
export { openapi } from './rest/openapi.ts';
export { type FieldProblem, type Problem, type ProblemCode, problems } from './rest/problem.ts';
export { MAX_BODY_BYTES, type Method, type Route } from './rest/route.ts';
export { type RouteName, routes } from './rest/routes.ts';
export { rfc3339, timesAsText } from './rest/times.ts';
export * from './rest/views.ts';
export { isShownAddress, keptAddress, keptOrigin, originOf, shownAddress } from './schema/address.ts';
export * from './schema/fields.ts';
export { isCredentialHeader, isOfUnknownKind, mapMarked, mapSecrets, type Met } from './schema/secrets.ts';
export { cacheRulesOf, sentinelRules } from './wire/cache-users.ts';
export { type CommandOwner, commands, type IfRevision } from './wire/commands.ts';
export { contract } from './wire/contract.ts';
export * from './wire/permissions.ts';
export { type Aged, changeRequests, operationRequests, requests } from './wire/requests.ts';
export { newerThan, type RevisedConfig, revisedOf } from './wire/revised.ts';
export { checkId, subjects } from './wire/subjects.ts';
export { consumers, proberTasks, streams } from './wire/topology.ts';
