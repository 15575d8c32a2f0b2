import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, Serve } from '@tocsin/edge';
import { MonitorsService } from './monitors.service.ts';

@Controller()
export class MonitorsController {
  constructor(private readonly monitors: MonitorsService) {}

  @Serve(routes.monitorsCreate)
  create(call: Call<typeof routes.monitorsCreate>): Promise<Answer> {
    return this.monitors.create(call);
  }

  @Serve(routes.monitorsList)
  list(call: Call<typeof routes.monitorsList>): Promise<Answer> {
    return this.monitors.list(call);
  }

  @Serve(routes.monitorsGet)
  read(call: Call<typeof routes.monitorsGet>): Promise<Answer> {
    return this.monitors.read(call);
  }

  @Serve(routes.monitorsReplace)
  replace(call: Call<typeof routes.monitorsReplace>): Promise<Answer> {
    return this.monitors.replace(call);
  }

  @Serve(routes.monitorsPatch)
  patch(call: Call<typeof routes.monitorsPatch>): Promise<Answer> {
    return this.monitors.patch(call);
  }

  @Serve(routes.monitorsDelete)
  remove(call: Call<typeof routes.monitorsDelete>): Promise<Answer> {
    return this.monitors.remove(call);
  }

  @Serve(routes.monitorsPause)
  pause(call: Call<typeof routes.monitorsPause>): Promise<Answer> {
    return this.monitors.setPaused(call, true);
  }

  @Serve(routes.monitorsResume)
  resume(call: Call<typeof routes.monitorsResume>): Promise<Answer> {
    return this.monitors.setPaused(call, false);
  }

  @Serve(routes.monitorsCheck)
  check(call: Call<typeof routes.monitorsCheck>): Promise<Answer> {
    return this.monitors.check(call);
  }
}
