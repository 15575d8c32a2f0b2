import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be a lower-case name of letters, digits and "-"');
const address = z.ipv4();
const interfaceName = z.string().regex(/^[A-Za-z0-9._-]{1,15}$/, 'must be the name of a network interface');
const variable = z.string().regex(/^(TOCSIN|OTEL|NODE)_[A-Z0-9_]+$/, 'must be a variable like TOCSIN_RETENTION_DAYS');

const host = z.strictObject({
  name,
  address,
  /** The network interface that the floating addresses are added to. */
  interface: interfaceName,
});

/** What is written down about a deployment; everything else follows from it. */
export const inventorySchema = z
  .strictObject({
    /** Three equal hosts: each runs everything, and any one can be lost. */
    hosts: z.array(host).length(3),
    edge: z.strictObject({
      /** What takes connections at the floating address: HAProxy itself, or LVS, which spreads them over the HAProxys of all hosts. */
      kind: z.enum(['haproxy', 'lvs']).default('haproxy'),
      /** Addresses that a host takes over when another is lost. With two, each of two hosts serves one while both live. */
      addresses: z.array(address).min(1).max(2),
      /** Length of the network's prefix. */
      prefix: z.int().min(8).max(30),
      port: z.int().min(1).max(65_535).default(443),
      /** Identifies this group among others on the same network (VRRP's virtual router id); the second address has the next. */
      routerId: z.int().min(1).max(254).default(51),
      /** Names by which clients reach it, for the certificate that is made for it. */
      names: z.array(z.string().min(1).max(253)).max(20).default([]),
    }),
    /** Where the probers of these hosts are, as monitors name it. */
    location: name.default('default'),
    /** The major version that is installed on the hosts. */
    postgresql: z.int().min(15).max(18).default(15),
    /** A folder that is mounted on every host, for backups and the archived log. Left out: one on each host's own disk. */
    archive: z
      .string()
      .regex(/^\/[\w./-]{1,200}$/, 'must be the path of a folder, from the root')
      .optional(),
    /** Where sub-services send spans (OTLP over HTTP); best a collector on each host's own loopback. Left out: nowhere. */
    traces: z
      .string()
      .regex(/^https?:\/\/[\w.:[\]-]{1,255}(\/[\w./-]{0,200})?$/, 'must be an address like http://127.0.0.1:4318')
      .optional(),
    /** More variables for a sub-service, as its README lists them. */
    settings: z.record(name, z.record(variable, z.string().max(4_096))).default({}),
  })
  .refine(({ hosts }) => new Set(hosts.map((one) => one.name)).size === hosts.length, {
    error: 'two hosts have the same name',
    path: ['hosts'],
  })
  .refine(({ hosts, edge }) => {
    const all = [...hosts.map((one) => one.address), ...edge.addresses];
    return new Set(all).size === all.length;
  }, 'an address is given twice');

export type Inventory = z.infer<typeof inventorySchema>;
export type Host = Inventory['hosts'][number];

/** The inventory can't be used: each line says where and why. */
export class InventoryError extends Error {}

/**
 * Reads an inventory (YAML).
 * @throws InventoryError that names the path of every bad field
 */
export function readInventory(file: string): Inventory {
  let written: unknown;
  try {
    written = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new InventoryError(`${file} can't be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = inventorySchema.safeParse(written);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'inventory'}: ${message}`);
  throw new InventoryError(problems.join('\n'), { cause: parsed.error });
}
