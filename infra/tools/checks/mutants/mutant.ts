/** One mechanism taken out, and the test that notices. */
export interface Mutant {
  /** What is taken out, in words. */
  mechanism: string;
  /** The file that holds it, from the root of the repository. */
  file: string;
  /** Text that stands in it exactly once … */
  find: string;
  /** … and what takes its place. */
  replace: string;
  /** The spec file that fails without it. */
  test: string;
  /** Part of the title of the test that fails, where the file's other tests take long. */
  title?: string;
}

/** The file without the mechanism. @throws when the text is not in it exactly once: the mutant is out of date */
export function mutate(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find);
  if (parts.length === 2) return parts.join(mutant.replace);
  throw new Error(`"${mutant.mechanism}": its text stands ${parts.length - 1} times in ${mutant.file}, not once.`);
}
