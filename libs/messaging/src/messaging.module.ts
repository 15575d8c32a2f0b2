import {
  type ArgumentsHost,
  Catch,
  type DynamicModule,
  type ExceptionFilter,
  Global,
  Inject,
  type INestApplication,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import type { MessagingOptions } from './contract.ts';
import { Leases } from './leases.ts';
import { Messaging } from './messaging.ts';
import { JetStreamTransport } from './transport.ts';

/** Options, or how to make them from other providers. */
export interface MessagingFactory {
  inject?: NonNullable<Extract<NonNullable<DynamicModule['providers']>[number], { useFactory: unknown }>['inject']>;
  useFactory(...dependencies: never[]): MessagingOptions | Promise<MessagingOptions>;
}

/** Gives the whole app `Messaging` and `Leases`, and closes the connection last. */
@Global()
@Module({})
export class MessagingModule implements OnApplicationShutdown {
  constructor(@Inject(Messaging) private readonly messaging: Messaging) {}

  static forRoot(options: MessagingOptions | MessagingFactory): DynamicModule {
    const factory: MessagingFactory = 'useFactory' in options ? options : { useFactory: () => options };
    return {
      module: MessagingModule,
      providers: [
        {
          provide: Messaging,
          inject: factory.inject ?? [],
          useFactory: async (...dependencies: never[]) => Messaging.connect(await factory.useFactory(...dependencies)),
        },
        { provide: Leases, inject: [Messaging], useFactory: (messaging: Messaging) => messaging.leases },
      ],
      exports: [Messaging, Leases],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.messaging.close();
  }
}

/** Lets a handler's error reach the transport as it was thrown; Nest's own filter would replace it by a text. */
@Catch()
export class HandlerErrors implements ExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}

/** Connects the transport to an app; call before `app.startAllMicroservices()`. */
export function connectTransport(app: INestApplication): JetStreamTransport {
  const transport = new JetStreamTransport(app.get(Messaging));
  // Deferred, because Nest builds the handlers with the filters that it knows by then.
  app.connectMicroservice({ strategy: transport }, { deferInitialization: true }).useGlobalFilters(new HandlerErrors());
  return transport;
}
