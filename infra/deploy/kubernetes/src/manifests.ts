import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

/** What every document of Kubernetes has. */
export interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: unknown;
}

export interface Variable {
  name: string;
  value?: string;
  valueFrom?: { fieldRef?: { fieldPath: string }; secretKeyRef?: unknown };
}

export interface Volume {
  name: string;
  secret?: { secretName: string; items?: { key: string }[] };
}

/** As much of a Deployment as is looked at. */
export interface Deployment extends Manifest {
  spec: {
    replicas?: number;
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        containers: { name: string; image: string; env: Variable[]; envFrom?: unknown }[];
        volumes: Volume[];
      };
    };
  };
}

interface Patch {
  path?: string;
  patch?: string;
  target: { kind: string; name?: string };
}

export interface Kustomization {
  kind: 'Kustomization' | 'Component';
  resources?: string[];
  components?: string[];
  patches?: Patch[];
}

const FILE = 'kustomization.yaml';
/** As Kubernetes reads it: 0440 is octal, and an unquoted `yes` is a boolean. */
const YAML = { version: '1.1' } as const;
/** What tells the entries of a list apart when one is merged into another, as far as it is used here. */
const KEYS = ['name', 'mountPath', 'topologyKey', 'key'];

/**
 * The documents of a file.
 * @throws an error that names the file when it is no YAML
 */
export function documentsOf(file: string): Manifest[] {
  return documentsIn(readFileSync(file, 'utf8'), file);
}

export function documentsIn(text: string, source: string): Manifest[] {
  return parseAllDocuments(text, YAML).map((document) => {
    if (document.errors.length > 0) throw new Error(`${source}: ${document.errors[0]?.message}`);
    return document.toJS() as Manifest;
  });
}

export function kustomizationIn(folder: string): Kustomization {
  return parse(readFileSync(join(folder, FILE), 'utf8'), YAML) as Kustomization;
}

/** Every YAML file below a folder. */
export function yamlFilesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => join(folder, path));
}

/**
 * The files that a kustomization is made of, with those of the folders that it names.
 * @throws when one is not there, or a folder has no kustomization
 */
export function filesOf(folder: string): string[] {
  const { resources = [], components = [], patches = [] } = kustomizationIn(folder);
  const named = [...resources, ...components, ...patches.flatMap(({ path }) => path ?? [])];
  const files = named.flatMap((name) => {
    const path = normalize(join(folder, name));
    if (!existsSync(path)) throw new Error(`${join(folder, FILE)} names ${name}, which is not there`);
    return statSync(path).isDirectory() ? filesOf(path) : [path];
  });
  return [join(folder, FILE), ...files];
}

/** What a kustomization of files (not of folders) comes to: its resources with its merge patches. */
export function built(folder: string): Manifest[] {
  const { resources = [], patches = [] } = kustomizationIn(folder);
  return resources
    .flatMap((name) => documentsOf(join(folder, name)))
    .map((manifest) => patches.filter(({ target }) => target.kind === manifest.kind).reduce(applied(folder), manifest));
}

function applied(folder: string) {
  return (manifest: Manifest, { path, patch = '' }: Patch): Manifest => {
    const { metadata, ...rest } = parse(path ? readFileSync(join(folder, path), 'utf8') : patch, YAML) as Manifest;
    // The name in a patch with a target stands for nothing.
    return merged(manifest, { ...rest, metadata: { ...metadata, name: manifest.metadata.name } }) as Manifest;
  };
}

function merged(base: unknown, patch: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) return mergedLists(base, patch);
  if (!isObject(base) || !isObject(patch)) return patch;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(patch)])].map((key) => [
      key,
      key in patch ? merged(base[key], patch[key]) : base[key],
    ]),
  );
}

function mergedLists(base: unknown[], patch: unknown[]): unknown[] {
  const key = KEYS.find((name) => [...base, ...patch].every((entry) => isObject(entry) && name in entry));
  if (key === undefined) return patch;
  const same = (a: unknown, b: unknown): boolean => isObject(a) && isObject(b) && a[key] === b[key];
  const added = patch.filter((entry) => !base.some((other) => same(entry, other)));
  return [...base.map((entry) => merged(entry, patch.find((other) => same(entry, other)) ?? {})), ...added];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
