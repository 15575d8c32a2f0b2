import { Injectable } from '@nestjs/common';
import { type IfRevision, type Monitor, type MonitorSpec, monitorSpec } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { Operations } from '@tocsin/database';
import type { CommandContext } from '@tocsin/messaging';
import { SpecValidation } from '../spec-validation.ts';
import { monitorChanged, monitorDeleted } from '../config-events.ts';
import { Bounds } from '../bounds.ts';
import { changedFields } from '../changed-fields.ts';
import { parseOrRefuse } from '../fields.ts';
import { mergePatch } from '../merge-patch.ts';
import { keepTombstone, changeable } from '../record.ts';
import { gridSinceAfter, manualChecksOf } from './monitor.rules.ts';
import { keyOf } from './monitors.reader.ts';
import { MonitorsStore } from './monitors.store.ts';

const kind = 'monitor' as const;

interface Change {
  id: string;
  ifRevision?: IfRevision;
}

/** Writes to monitors: each operation takes effect once, together with what the rest of the system is told of it. */
@Injectable()
export class MonitorsService {
  constructor(
    private readonly operations: Operations,
    private readonly monitors: MonitorsStore,
    private readonly validation: SpecValidation,
    private readonly bounds: Bounds,
  ) {}

  /** @throws TocsinError `invalid` with the fields; `conflict` at the bound on their number */
  create({ spec }: { spec: MonitorSpec }, ctx: CommandContext): Promise<Monitor> {
    return this.operations.run(ctx, { kind }, async ({ tx, now, announce, note }) => {
      const validated = await this.validation.validate(tx, spec);
      await this.bounds.add(tx, 'monitors');
      const times = { createdAt: now, updatedAt: now, gridSince: now };
      const monitor: Monitor = { id: newId(now), revision: 1, ...times, spec: validated };
      note({ id: monitor.id, revision: monitor.revision });
      await this.monitors.insert(tx, monitor);
      await announce(monitorChanged(monitor, 'created'));
      return monitor;
    });
  }

  /** @throws TocsinError `not_found`, `stale`, `invalid` with the fields */
  replace(input: Change & { spec: MonitorSpec }, ctx: CommandContext): Promise<Monitor> {
    return this.change(input, ctx, () => input.spec);
  }

  /** @throws as `replace`; the patched whole must be a specification */
  patch(input: Change & { patch: Record<string, unknown> }, ctx: CommandContext): Promise<Monitor> {
    return this.change(input, ctx, (stored) =>
      parseOrRefuse(monitorSpec, mergePatch(stored, input.patch), 'The patched monitor is not valid'),
    );
  }

  /** @throws TocsinError `not_found`, `stale` */
  delete(input: Change, ctx: CommandContext): Promise<{ id: string }> {
    return this.operations.run(ctx, { kind, id: input.id }, async ({ tx, now, announce, forget, note }) => {
      forget(keyOf(input.id));
      const found = changeable(await this.monitors.lock(tx, input.id), { what: 'monitor', ...input });
      const last = { ...found, revision: found.revision + 1 };
      note({ revision: last.revision });
      await this.monitors.delete(tx, found.id);
      await this.bounds.remove(tx, 'monitors');
      await keepTombstone(tx, 'monitors', { id: last.id, revision: last.revision, at: now });
      await announce(monitorDeleted(last, now));
      return { id: found.id };
    });
  }

  /**
   * Has the monitor checked now, from each of its locations.
   * @throws TocsinError `not_found`; `invalid` for a heartbeat, which nobody probes; `conflict` while it is paused
   */
  check({ id }: { id: string }, ctx: CommandContext): Promise<{ id: string }> {
    return this.operations.run(ctx, { kind, id }, async ({ tx, now, announce }) => {
      const monitor = changeable(await this.monitors.lock(tx, id), { what: 'monitor', id });
      await announce(manualChecksOf(monitor, ctx.operationId, now));
      return { id };
    });
  }

  private change(input: Change, ctx: CommandContext, next: (stored: MonitorSpec) => MonitorSpec): Promise<Monitor> {
    return this.operations.run(ctx, { kind, id: input.id }, async ({ tx, now, announce, forget, note }) => {
      forget(keyOf(input.id));
      const found = changeable(await this.monitors.lock(tx, input.id), { what: 'monitor', ...input });
      const spec = await this.validation.validate(tx, next(found.spec), found.spec);
      const gridSince = gridSinceAfter(found, spec, now);
      const changed: Monitor = { ...found, spec, revision: found.revision + 1, updatedAt: now, gridSince };
      note({ revision: changed.revision, fields: changedFields(found.spec, spec) });
      await this.monitors.update(tx, changed);
      await announce(monitorChanged(changed, 'updated'));
      return changed;
    });
  }
}
