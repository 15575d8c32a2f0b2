import type { Mutant } from './mutant.ts';

/** What has every alert arrive once and in order, and what speaks when Tocsin can't. */
export const notifier: readonly Mutant[] = [
  {
    mechanism: 'A notification has the same identifier in every instance that plans it',
    file: 'apps/notifier/src/notifications/notification.rules.ts',
    find: 'return idFrom(',
    replace: 'return idFrom(Math.random() + ',
    test: 'apps/notifier/src/notifications/notification.rules.property.spec.ts',
  },
  {
    mechanism: 'A resolution waits for the opening that it overtook',
    file: 'apps/notifier/src/notifications/notification.rules.ts',
    find: 'return OVERTAKEN_MS;',
    replace: 'return 0;',
    test: 'apps/notifier/src/notifications/notification.rules.property.spec.ts',
  },
  {
    mechanism: 'Only the instance that claimed a notification sends it',
    file: 'apps/notifier/src/notifications/notification-planner.ts',
    find: "notifications.filter((one) => one.status === 'sending')",
    replace: 'notifications',
    test: 'apps/notifier/test/webhook.int-spec.ts',
    title: 'a hundred openings at once are each delivered once',
  },
  {
    mechanism: 'What waits for its opening is not sent before it',
    file: 'apps/notifier/src/notifications/notifications.sql.ts',
    find: "orphaned OR due.kind = 'reminder'",
    replace: "due.kind = 'reminder'",
    test: 'apps/notifier/test/audience.int-spec.ts',
    title: 'what waits for its opening is looked at in its time and not sent',
  },
  {
    mechanism: 'A claim that ran out is taken over',
    file: 'apps/notifier/src/notifications/notifications.sql.ts',
    find: "AND due_at <= now() AND (status = 'pending' OR due_at <= $5::timestamptz)",
    replace: "AND due_at <= now() AND status = 'pending'",
    test: 'apps/notifier/test/failover.int-spec.ts',
  },
  {
    mechanism: "The dead man's switch is called only while Tocsin is healthy",
    file: 'apps/notifier/src/deadman/deadman.service.ts',
    find: 'missing.length > 0 ? undefined : await',
    replace: 'await',
    test: 'apps/notifier/test/deadman.e2e-spec.ts',
    title: 'is not called while no prober answers',
  },
  {
    mechanism: 'Tocsin is not healthy while its database takes no write',
    file: 'apps/notifier/src/deadman/system-health.rules.ts',
    find: "...(recordTakesWrites ? [] : ['record']),",
    replace: '',
    test: 'apps/notifier/src/deadman/system-health.rules.spec.ts',
  },
  {
    mechanism: 'The lease is asked before each call of the switch',
    file: 'apps/notifier/src/deadman/deadman.caller.ts',
    find: ' && mayCall()',
    replace: '',
    test: 'apps/notifier/test/deadman.caller.int-spec.ts',
    title: 'is not made once somebody else may make it',
  },
];
