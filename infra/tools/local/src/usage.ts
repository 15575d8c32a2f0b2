/** Whether a command is only to say how it is used. */
export function asksForHelp(args: readonly string[] = process.argv.slice(2)): boolean {
  return args.includes('--help') || args.includes('-h');
}

/**
 * Shows a text in place of running a command: how it is used, as was asked, or also what is wrong.
 * @returns the exit code: 0 where help was asked for, else 2
 */
export function showUsage(text: string, args: readonly string[] = process.argv.slice(2)): 0 | 2 {
  const asked = asksForHelp(args);
  (asked ? console.log : console.error)(text);
  return asked ? 0 : 2;
}
