export type { UnitStatus } from './commands.ts';
export { DataCentre, type DataCentreOptions, serverUnits, serviceUnits } from './data-centre.ts';
export { enter, Enclosure } from './enclosure.ts';
export { firstStart } from './first-start.ts';
export { type Slowness } from './faults.ts';
export { Host } from './host.ts';
export { findPrograms, type Programs, whyNot } from './programs.ts';
