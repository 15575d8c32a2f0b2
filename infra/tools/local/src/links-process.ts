import { Link } from './link.ts';
import type { LinkAnswer, LinkCommand } from './links.ts';

/**
 * The process that carries all links, apart from the one that starts and watches everything: neither may hold up the
 * other. It obeys what comes over its channel and ends with it.
 */
const links: Link[] = [];

async function obey(command: LinkCommand): Promise<void> {
  if (command.do === 'open') {
    const link = new Link(command.target);
    await link.listen(command.port);
    links[command.link] = link;
  } else {
    for (const number of command.links) links[number]?.[command.do]();
  }
}

process.on('message', (command: LinkCommand) => {
  const answer = (error?: string): void => {
    const said: LinkAnswer = { id: command.id, ...(error === undefined ? {} : { error }) };
    process.send?.(said);
  };
  obey(command).then(
    () => answer(),
    (error: unknown) => answer(String(error)),
  );
});
process.on('disconnect', () => process.exit(0));
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
