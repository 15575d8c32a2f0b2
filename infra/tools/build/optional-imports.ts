import { isBuiltin } from 'node:module';
import type { Plugin } from 'rolldown';

/** Nest's other transports import these; Tocsin has a transport of its own. */
const UNUSED_TRANSPORT = /^(ioredis|kafkajs|mqtt|amqplib|amqp-connection-manager|@grpc\/.*|@nats-io\/transport-node)$/;

/** How the grpc exporters of OpenTelemetry load gRPC from their ES modules: through `createRequire`, which no bundler follows. */
const HIDDEN_REQUIRE = /__require\("(@grpc\/grpc-js)"\)/g;

/**
 * Libraries import optional companions when asked to use them, and go on without. Those that are not installed stay
 * imports, which fail only if somebody asks. Our own code has no such excuse: there a missing package fails the build.
 */
export function optionalImports(): Plugin {
  return {
    name: 'tocsin-optional-imports',
    transform(code, id) {
      if (!id.includes('/@opentelemetry/') || code.search(HIDDEN_REQUIRE) < 0) return null;
      // On the same line, so that the lines of the source map stay right.
      return { code: `import * as grpcJs from '@grpc/grpc-js'; ${code.replace(HIDDEN_REQUIRE, 'grpcJs')}`, map: null };
    },
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
