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
import { JetStreamTransport, Messaging, type MessagingOptions } from '../src/index.ts';

/** Gives an app of a test `Messaging`, and closes the connection last. Real services get theirs from `runService`. */
@Global()
@Module({})
export class MessagingModule implements OnApplicationShutdown {
  constructor(@Inject(Messaging) private readonly messaging: Messaging) {}

  static forRoot(options: MessagingOptions): DynamicModule {
    return {
      module: MessagingModule,
      providers: [{ provide: Messaging, useFactory: () => Messaging.connect(options) }],
      exports: [Messaging],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.messaging.close();
  }
}

/** Lets a handler's error reach the transport as it was thrown; Nest's own filter would replace it by a text. */
@Catch()
class HandlerErrors implements ExceptionFilter {
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
