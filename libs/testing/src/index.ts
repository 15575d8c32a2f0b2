export { ApiClient, type ApiAnswer } from './api-client.ts';
export { atTheEnd } from './cleanup.ts';
export { type BrokerLogin, deleteStream, messagesIn, streamLeader, streamsAreWhole } from './broker.ts';
export {
  certificate,
  type CertificateKind,
  issue,
  type IssuedCertificate,
  type IssueOptions,
  type TestCertificate,
} from './certificates.ts';
export { aMonitor, aMonitorOf, aResult } from './factories.ts';
export { brokerUsers, Intruder } from './intruder.ts';
export { OtlpReceiver, type CollectedSpan, type OtlpReceiverOptions } from './otlp-receiver.ts';
export { postgresPair } from './postgres-pair.ts';
export { natsServer, postgres, redisServer, type TestDatabase } from './spec-servers.ts';
export { Sink, type Arrival } from './sink.ts';
export { startService, type ServiceProcess } from './service-process.ts';
export { Target, type Behaviour, type Hit } from './target.ts';
export { publishRaw } from './publish-raw.ts';
export { takeAll } from './stream-oracle.ts';
export { type TocsinRuntime } from './servers/tocsin-runtime.ts';
export { startTocsin, type StartedTocsin, type StartTocsinOptions } from './tocsin.ts';
export { until } from './until.ts';
