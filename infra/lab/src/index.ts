export type { UnitStatus } from './commands.ts';
export { DataCentre, type DataCentreOptions, serverUnits, serviceUnits } from './data-centre.ts';
export { enter, Enclosure } from './enclosure.ts';
export { firstStart } from './first-start.ts';
export { OUTSIDE, type Slowness } from './faults.ts';
export { Host, type Image, RELEASE } from './host.ts';
export { Network } from './network.ts';
export { findPrograms, type Programs, whyNot } from './programs.ts';
