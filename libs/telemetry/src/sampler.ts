import type { Attributes, Context, Link, SpanKind } from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
  type SamplingResult,
} from '@opentelemetry/sdk-trace';

const CHECK_PREFIX = 'check ';

/** Decides for traces that begin here: those of checks by ratio, every other one always. */
class RootSampler implements Sampler {
  private readonly always = new AlwaysOnSampler();
  private readonly byRatio: TraceIdRatioBasedSampler;

  constructor(private readonly checkRatio: number) {
    this.byRatio = new TraceIdRatioBasedSampler(checkRatio);
  }

  // eslint-disable-next-line max-params -- the signature is OpenTelemetry's
  shouldSample(_: Context, traceId: string, name: string, __: SpanKind, ___: Attributes, ____: Link[]): SamplingResult {
    return name.startsWith(CHECK_PREFIX) ? this.byRatio.shouldSample(_, traceId) : this.always.shouldSample();
  }

  toString(): string {
    return `RootSampler{checks: ${this.checkRatio}, else: always}`;
  }
}

/** Follows the parent's decision; without a parent, spans named `check …` are kept by ratio and all others always. */
export function tocsinSampler(checkRatio: number): Sampler {
  return new ParentBasedSampler({ root: new RootSampler(checkRatio) });
}
