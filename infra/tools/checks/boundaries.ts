import { cruise, type ICruiseResult, type IForbiddenRuleType, type IViolation } from 'dependency-cruiser';

/** Which libs each lib may import. Its tests may import any. */
export const libs: Record<string, readonly string[]> = {
  core: [],
  schedule: [],
  contracts: ['core'],
  messaging: ['core', 'telemetry'],
  cache: ['core'],
  database: ['core', 'telemetry'],
  resilience: ['core'],
  telemetry: ['core'],
  service: ['core', 'messaging', 'cache', 'database', 'telemetry'],
  edge: ['core', 'contracts', 'messaging', 'resilience', 'service', 'telemetry'],
  checks: ['core', 'contracts', 'schedule'],
  testing: ['core', 'contracts', 'messaging', 'cache', 'database', 'resilience', 'telemetry', 'service', 'checks'],
};

const TESTS = String.raw`/test/|\.(int-|cluster-|e2e-)?spec\.ts$`;
/** What only tests and tools use. */
const DEVELOPMENT = '^(libs/testing|infra|e2e|bench)/';

/** Technologies that have one home: who may import each. */
const homes: { name: string; packages: string; owners: string }[] = [
  { name: 'nats', packages: '@nats-io/', owners: '^libs/(messaging|testing)/' },
  { name: 'redis', packages: 'ioredis/', owners: '^libs/(cache|testing)/' },
  { name: 'pg', packages: 'pg/', owners: '^(libs/(database|testing)|e2e|bench)/' },
  { name: 'otel', packages: '@opentelemetry/(?!api/)', owners: `^libs/telemetry/|${TESTS}` },
];

/** Where code lives: a package, or a folder of infra that is none. */
const ROOMS = '^((?:apps|libs|infra/deploy|infra/tools)/[^/]+|infra/lab|e2e|bench)/';

export const rules: (IForbiddenRuleType & { name: string })[] = [
  {
    name: 'exports-only',
    comment: 'A package is imported by its name, and only what it exports. What is not installed is not imported.',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'own-room',
    comment: 'A relative import stays in its package. Another package is imported by its name.',
    from: { path: ROOMS },
    to: {
      path: '^(apps|libs|infra|e2e|bench)/',
      pathNot: '^$1/',
      dependencyTypes: ['local'],
      dependencyTypesNot: ['aliased'],
    },
  },
  {
    name: 'apps-by-nats',
    comment: 'No app is imported. The only road to one is NATS.',
    from: { path: ROOMS },
    to: { path: '^apps/', pathNot: '^$1/' },
  },
  {
    name: 'deployable',
    comment: 'What runs at a user’s imports nothing that is for tests and tools.',
    from: { path: '^(apps|libs)/', pathNot: [TESTS, '^libs/testing/'] },
    to: { path: DEVELOPMENT },
  },
  {
    name: 'infra-above',
    comment: 'Apps and libs need nothing of infra. Their tests bundle as a build does.',
    from: { path: '^(apps|libs)/' },
    to: { path: '^infra/', pathNot: '^infra/tools/build/' },
  },
  {
    name: 'whole-above',
    comment: 'Nothing imports what tries or measures all of it.',
    from: { path: '^(apps|libs|infra)/' },
    to: { path: '^(e2e|bench)/' },
  },
  {
    name: 'listed-lib',
    comment: 'Every lib stands in the table of boundaries.ts, which says what it may import.',
    from: { path: '^libs/', pathNot: `^libs/(${Object.keys(libs).join('|')})/` },
    to: {},
  },
  ...Object.entries(libs).map(([name, allowed]) => ({
    name: `lib-${name}`,
    comment: `libs/${name} imports of the libs only ${allowed.join(', ') || 'none'}.`,
    from: { path: `^libs/${name}/`, pathNot: TESTS },
    to: { path: '^libs/', pathNot: `^libs/(${[name, ...allowed].join('|')})/` },
  })),
  {
    name: 'pure-core',
    comment: 'core is pure: it imports no package.',
    from: { path: '^libs/core/', pathNot: TESTS },
    to: { path: '^node_modules/' },
  },
  ...homes.map(({ name, packages, owners }) => ({
    name: `home-of-${name}`,
    comment: `Only ${owners} imports ${packages}.`,
    from: { pathNot: owners },
    to: { path: `^node_modules/${packages}` },
  })),
];

/** Everything in a workspace that the boundaries forbid, as `file imports file: rule`, and how many files were looked at. */
export async function crossings(workspace: string): Promise<{ found: string[]; files: number }> {
  const { output } = await cruise(
    ['apps', 'libs', 'infra', 'e2e', 'bench'],
    {
      baseDir: workspace,
      validate: true,
      ruleSet: { forbidden: rules.map((rule) => ({ severity: 'error', ...rule })) },
      // dependency-cruiser reads TypeScript by its compiler's API, which TypeScript 7 does not have yet.
      parser: 'swc',
      tsPreCompilationDeps: true,
      doNotFollow: { path: '(^|/)node_modules/' },
      exclude: { path: '/test/fixtures/' },
    },
    { exportsFields: ['exports'], conditionNames: ['node', 'import', 'default', 'types'] },
  );
  const { summary } = output as ICruiseResult;
  const told = ({ from, to, rule }: IViolation): string => `${from} imports ${to}: ${rule.name}`;
  return { found: summary.violations.map(told).toSorted(), files: summary.totalCruised };
}
