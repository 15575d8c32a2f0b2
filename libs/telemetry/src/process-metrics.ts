import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';

/** Coarse on purpose: a finer one wakes an idle process too often. */
const LAG_RESOLUTION_MS = 100;

/** Memory, CPU and event loop lag of this process, read when somebody asks for them. */
export function observeProcess(meter: Meter): void {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  meter
    .createObservableGauge('process_resident_memory_bytes', { description: 'Resident memory' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableGauge('nodejs_heap_used_bytes', { description: 'Heap in use' })
    .addCallback((result) => result.observe(process.memoryUsage().heapUsed));
  meter
    .createObservableCounter('process_cpu_seconds_total', { description: 'CPU time spent, user and system' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableGauge('nodejs_eventloop_lag_p99_seconds', {
      description: 'How much later than due a timer fires, 99th percentile since the last reading',
    })
    .addCallback((result) => {
      const lateMs = lag.percentile(99) / 1e6 - LAG_RESOLUTION_MS;
      result.observe(Math.max(0, lateMs) / 1000);
      lag.reset();
    });
}
