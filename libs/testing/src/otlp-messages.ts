import protobuf from 'protobufjs';

export type OtlpSignal = 'traces' | 'logs' | 'metrics';

/** What the tests read of OpenTelemetry's protocol, with its numbers (opentelemetry-proto 1.x). A decoder skips the rest. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message traces { repeated ResourceSpans resource_spans = 1; }
  message logs { repeated ResourceLogs resource_logs = 1; }
  message metrics { repeated ResourceMetrics resource_metrics = 1; }

  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { int32 code = 3; }

  message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
  message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
  message LogRecord {
    string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6; bytes trace_id = 9; bytes span_id = 10;
  }

  message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
  message ScopeMetrics { repeated Metric metrics = 2; }
  message Metric { string name = 1; Sum sum = 7; }
  message Sum { repeated NumberDataPoint data_points = 1; }
  message NumberDataPoint { double as_double = 4; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }

  message Resource { repeated KeyValue attributes = 1; }
  message Scope { string name = 1; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value {
      string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
      ArrayValue array_value = 5; KeyValueList kvlist_value = 6;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
`);

/** One export in protobuf, in the shape that OTLP has in JSON; ids are bytes instead of hexadecimal text. */
export function decoded(signal: OtlpSignal, body: Buffer): unknown {
  const type = root.lookupType(signal);
  return type.toObject(type.decode(body), { longs: Number, arrays: true });
}

export interface OtlpValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string | number;
  doubleValue?: number;
  arrayValue?: { values: OtlpValue[] };
  kvlistValue?: { values: OtlpAttributes };
}
export type OtlpAttributes = { key: string; value?: OtlpValue }[];
export type OtlpId = string | Uint8Array;

/** An export of any signal, in JSON or decoded. */
export interface OtlpExport {
  resourceSpans?: { resource: OtlpResource; scopeSpans: { spans: OtlpSpan[] }[] }[];
  resourceLogs?: { resource: OtlpResource; scopeLogs: { scope: { name: string }; logRecords: OtlpLog[] }[] }[];
  resourceMetrics?: { resource: OtlpResource; scopeMetrics: { metrics: OtlpMetric[] }[] }[];
}

export interface OtlpResource {
  attributes: OtlpAttributes;
}

interface OtlpSpan {
  name: string;
  traceId: OtlpId;
  spanId: OtlpId;
  parentSpanId?: OtlpId;
  attributes?: OtlpAttributes;
  links?: { traceId: OtlpId; spanId: OtlpId }[];
  status?: { code?: number };
}

interface OtlpLog {
  severityText?: string;
  body?: OtlpValue;
  attributes?: OtlpAttributes;
  traceId?: OtlpId;
  spanId?: OtlpId;
}

interface OtlpMetric {
  name: string;
  sum?: { dataPoints: { asInt?: string | number; asDouble?: number; attributes?: OtlpAttributes }[] };
}

/** Attributes as plain values. */
export function plainAttributes(attributes: OtlpAttributes = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

/** A value of OTLP as a plain one. */
export function plainValue(value: OtlpValue | undefined): unknown {
  if (value?.kvlistValue) return plainAttributes(value.kvlistValue.values);
  if (value?.arrayValue) return value.arrayValue.values.map(plainValue);
  return value && Object.values(value)[0];
}

/** A trace's or a span's id in hexadecimal; undefined where there is none. */
export function hexId(id: OtlpId | undefined): string | undefined {
  const text = typeof id === 'string' || id === undefined ? id : Buffer.from(id).toString('hex');
  return text === '' ? undefined : text;
}
