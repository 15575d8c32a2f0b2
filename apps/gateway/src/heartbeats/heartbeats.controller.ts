import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, Serve } from '@tocsin/edge';
import { HeartbeatsService } from './heartbeats.service.ts';

@Controller()
export class HeartbeatsController {
  constructor(private readonly heartbeats: HeartbeatsService) {}

  @Serve(routes.heartbeat)
  post(call: Call<typeof routes.heartbeat>): Promise<Answer> {
    return this.heartbeats.receive(call, { ...call.params, ...call.query, message: call.body });
  }

  @Serve(routes.heartbeatGet)
  get(call: Call<typeof routes.heartbeatGet>): Promise<Answer> {
    return this.heartbeats.receive(call, { ...call.params, ...call.query });
  }

  @Serve(routes.heartbeatSignal)
  postSignal(call: Call<typeof routes.heartbeatSignal>): Promise<Answer> {
    return this.heartbeats.receive(call, { ...call.params, ...call.query, message: call.body });
  }

  @Serve(routes.heartbeatSignalGet)
  getSignal(call: Call<typeof routes.heartbeatSignalGet>): Promise<Answer> {
    return this.heartbeats.receive(call, { ...call.params, ...call.query });
  }
}
