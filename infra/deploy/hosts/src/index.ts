export { deploy, type Deployment } from './deployment.ts';
export { type Host, type Inventory, InventoryError, inventorySchema, readInventory } from './inventory.ts';
export { ports } from './ports.ts';
export { render } from './render.ts';
export type { RenderedFile } from './rendered.ts';
export { writeHost } from './write.ts';
