import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A template with its `{{names}}` filled in.
 * @throws Error when the template has a name that no value is given for, or the other way round
 */
export function filled(template: string, values: Readonly<Record<string, string | number>>): string {
  const text = readFileSync(join(import.meta.dirname, 'templates', template), 'utf8');
  const used = new Set<string>();
  const result = text.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} has {{${name}}}, and there is no such value.`);
    used.add(name);
    return String(value);
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`${template} has no place for ${unused.join(', ')}.`);
  return result;
}
