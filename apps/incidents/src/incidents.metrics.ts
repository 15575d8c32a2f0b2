import { metrics } from '@opentelemetry/api';

const meter = metrics.getMeter('tocsin');

export const folded = meter.createCounter('tocsin_results_folded_total', {
  description: 'Results folded into states, by why they counted or did not',
});
export const foldSize = meter.createHistogram('tocsin_fold_batch_results', {
  description: 'Results per transaction',
  advice: { explicitBucketBoundaries: [1, 2, 5, 10, 25, 50, 100, 250, 500] },
});
export const foldSeconds = meter.createHistogram('tocsin_fold_duration_seconds', {
  description: 'From the start of a fold to its commit',
  unit: 's',
  advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] },
});
export const resultAge = meter.createHistogram('tocsin_result_age_seconds', {
  description: 'Age of a batch, from when its oldest result was found to its commit',
  unit: 's',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300] },
});
export const windows = meter.createCounter('tocsin_windows_total', {
  description: 'Due windows that ended, by outcome; one whose result came after it was marked as missed counts as both',
});
export const missedWindows = meter.createCounter('tocsin_windows_missed_total', {
  description: 'Windows that nobody answered',
});
export const transitions = meter.createCounter('tocsin_incident_transitions_total', {
  description: 'Incidents opened, changed and resolved',
});
export const redriven = meter.createCounter('tocsin_transitions_redriven_total', {
  description: 'Transitions that were lost after the stream had acknowledged them, and published again',
});

/** Gauges that are read from the record when the sweep runs: the same on every instance. */
export const recorded = {
  states: new Map<string, number>(),
  openIncidents: 0,
  /** Undefined until it was first counted: 0 must not be said unseen. */
  unaccounted: undefined as number | undefined,
};

meter
  .createObservableGauge('tocsin_monitors', { description: 'Monitors by state' })
  .addCallback((observer) => recorded.states.forEach((count, state) => observer.observe(count, { state })));
meter
  .createObservableGauge('tocsin_incidents_open', { description: 'Open incidents' })
  .addCallback((observer) => observer.observe(recorded.openIncidents));
meter
  .createObservableGauge('tocsin_windows_unaccounted', {
    description: 'Windows of the last day whose end nobody recorded in time (below 0: recorded, but not due). Always 0',
  })
  .addCallback((observer) => {
    if (recorded.unaccounted !== undefined) observer.observe(recorded.unaccounted);
  });
