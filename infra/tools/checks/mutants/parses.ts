import { parseAst } from 'rolldown/parseAst';

/** Whether a file is TypeScript at all: one that is not breaks every test, and so proves none. Other files always pass. */
export function parses(file: string, text: string): boolean {
  if (!file.endsWith('.ts')) return true;
  try {
    parseAst(text, { lang: 'ts' }, file);
    return true;
  } catch {
    return false;
  }
}
