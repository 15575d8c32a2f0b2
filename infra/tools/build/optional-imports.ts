import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

/** Nest's other transports import these; Tocsin has a transport of its own. */
const UNUSED_TRANSPORT = /^(ioredis|kafkajs|mqtt|amqplib|amqp-connection-manager|@grpc\/.*|@nats-io\/transport-node)$/;

/**
 * Libraries import optional companions when asked to use them, and go on without. Those that are not installed stay
 * imports, which fail only if somebody asks. Our own code has no such excuse: there a missing package fails the build.
 */
export function optionalImports(): Plugin {
  return {
    name: 'tocsin-optional-imports',
    async resolveId(id, importer, o) {
      if (!importer || isBuiltin(id) || /^[./]|^\0/.test(id)) return null;
      const theirs = importer.includes('/node_modules/');
      if (theirs && importer.includes('/@nestjs/microservices/') && UNUSED_TRANSPORT.test(id))
        return { id, external: true };
      const found = await this.resolve(id, importer, { ...o, skipSelf: true });
      if (found) return found;
      if (theirs) return { id, external: true };
      throw new Error(`"${id}", imported by ${importer}, is not installed. Add it to that package's dependencies.`);
    },
  };
}
