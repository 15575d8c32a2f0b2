import { z } from 'zod';
import { changeView } from '../administration/change.ts';
import { channel, channelSpec } from '../notifications/channel.ts';
import { channelKinds } from '../notifications/channels/kinds.ts';
import { notificationView } from '../notifications/notification.ts';
import { finding } from '../monitoring/check.ts';
import { epochMs, id } from '../schema/fields.ts';
import { incidentView, stateView, timelineEntry } from '../incidents/incident.ts';
import { assertion } from '../monitoring/kinds/http/assertion.ts';
import { monitorKinds } from '../monitoring/kinds/kinds.ts';
import { monitorSpec } from '../monitoring/monitor.ts';
import { coverage, coverageReport, latency, resultView, rollup, summary, uptimeReport } from '../monitoring/report.ts';
import { instanceView } from '../administration/system.ts';
import { createdToken, token, tokenSpec } from '../administration/token.ts';
import { tolerant } from '../schema/tolerant.ts';
import { described, type JsonSchema } from './json-schema.ts';
import { channelKindView, monitorKindView } from './kinds.ts';
import { problem } from './problem.ts';
import { accepted, deadLetterView, monitorListItem, monitorView, operationView, systemView } from './views.ts';

/** The same whether sent or received. */
const simple: Record<string, z.ZodType> = { Id: id };

/** Schemas that OpenAPI names; where they are used they are referred to. What a person sends is named `…Input`. */
const named: Record<string, z.ZodType> = {
  Assertion: assertion,
  ...settingsOf(monitorKinds),
  MonitorSpec: monitorSpec,
  ...settingsOf(channelKinds),
  ChannelSpec: channelSpec,
  TokenSpec: tokenSpec,
};

const answers: Record<string, z.ZodType> = {
  Time: epochMs,
  Change: changeView,
  MonitorKind: monitorKindView,
  ChannelKind: channelKindView,
  Monitor: monitorView,
  MonitorListItem: monitorListItem,
  Channel: channel,
  Token: token,
  CreatedToken: createdToken,
  State: stateView,
  Finding: finding,
  Result: resultView,
  Latency: latency,
  Coverage: coverage,
  CoverageReport: coverageReport,
  Rollup: rollup,
  UptimeReport: uptimeReport,
  Summary: summary,
  TimelineEntry: timelineEntry,
  Incident: incidentView,
  Notification: notificationView,
  DeadLetter: deadLetterView,
  Instance: instanceView,
  System: systemView,
  Operation: operationView,
  Accepted: accepted,
  Problem: problem,
};

/** JSON Schemas of a set of schemas that refer to the named components, and the components they refer to. */
export interface Rendered {
  of: Record<string, JsonSchema>;
  components: Record<string, JsonSchema>;
}

/**
 * JSON Schema (2020-12, the dialect of OpenAPI 3.1) of each given schema.
 * @param io whether a person sends it (`input`, defaults may be left out) or receives it (`output`)
 */
export function render(schemas: Record<string, z.ZodType>, io: 'input' | 'output'): Rendered {
  const registry = z.registry<{ id: string }>();
  const names = { ...simple, ...(io === 'input' ? suffixed(named, 'Input') : { ...received(named), ...answers }) };
  const known = new Map<z.ZodType, string>(Object.entries(names).map(([name, schema]) => [schema, name]));
  for (const [schema, name] of known) registry.add(schema, { id: name });
  for (const [name, schema] of Object.entries(schemas))
    if (!known.has(schema)) registry.add(schema, { id: `#${name}` });
  const { schemas: all } = z.toJSONSchema(registry, {
    io,
    target: 'draft-2020-12',
    uri: (id) => `#/components/schemas/${id}`,
    override: described(io),
  });
  const of: Rendered['of'] = {};
  const components: Rendered['components'] = {};
  for (const [id, schema] of Object.entries(all)) {
    const { $schema: _dialect, $id: _address, ...rest } = schema as JsonSchema;
    if (id.startsWith('#')) of[id.slice(1)] = rest;
    else components[id] = rest;
  }
  for (const [name, schema] of Object.entries(schemas)) {
    const component = known.get(schema);
    if (component) of[name] = { $ref: `#/components/schemas/${component}` };
  }
  return { of, components };
}

/** In answers the variants for readers stand for them. */
function received(schemas: Record<string, z.ZodType>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, tolerant(schema)]));
}

function suffixed(schemas: Record<string, z.ZodType>, suffix: string): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name + suffix, schema]));
}

function settingsOf(kinds: Readonly<Record<string, { settings: z.ZodType }>>): Record<string, z.ZodType> {
  const name = (kind: string): string => `${kind[0]!.toUpperCase()}${kind.slice(1)}Settings`;
  return Object.fromEntries(Object.entries(kinds).map(([kind, { settings }]) => [name(kind), settings]));
}
